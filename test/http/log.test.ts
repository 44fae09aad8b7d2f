import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { demoPeople } from '../../demo/people.ts'
import { runCommand } from '../../src/cli/commands.ts'
import { organisationKey } from '../../src/domain/organisation.ts'
import { startTab, throughEid } from '../support/sign-in-steps.ts'
import { createMemoryLog } from '../support/log.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'

let test: TestPortal
let commandLog: string
/** All secrets of the tests: from URLs, cookies, sessions and files. */
const secrets = new Set<string>()

/** Complete sign-ins, successful and failed, that collect every secret sent. */
async function signInStepByStep(): Promise<void> {
  const browser = test.browser()
  const at = await startTab(browser)
  const answer = await throughEid(browser, at, 'Nora Lie')
  for (const url of [at, answer])
    for (const name of ['state', 'nonce', 'code_challenge', 'code']) {
      const value = url.searchParams.get(name)
      if (value) secrets.add(value)
    }
  await browser.open(answer.href)
  const cookie = String(browser.cookie('portal'))
  secrets.add(cookie)
  secrets.add(decodeURIComponent(cookie).slice('s:'.length).split('.', 1).join())
  await browser.open(answer.href)
  const other = test.browser()
  const forged = await throughEid(other, await startTab(other), 'Nora Lie')
  secrets.add(String(forged.searchParams.get('code')))
  forged.searchParams.set('state', 'state-that-was-never-issued')
  secrets.add('state-that-was-never-issued')
  await other.open(forged.href)
  await browser.open('/partners/12345/developers/webhooks?q=needle-in-the-query')
}

/** Loads refused credentials, then an invalid file, then the valid one. */
async function useWrongCredentials(): Promise<void> {
  const right = readFileSync(test.organisationsFile, 'utf8')
  const secret = test.world.organisations[0]?.keys.clientSecret ?? ''
  for (const wrong of [right.replace(secret, 'wrong-secret-of-the-tests'), `${right.slice(0, -20)},`, right]) {
    const reloads = () => test.log().match(/credentials (not )?reloaded/g)?.length ?? 0
    const before = reloads()
    writeFileSync(test.organisationsFile, wrong)
    test.portal.reload()
    await until(() => reloads() > before)
  }
  secrets.add('wrong-secret-of-the-tests')
}

async function runCommands(): Promise<string> {
  const { logger, log } = createMemoryLog()
  const { database, sync } = test.portal
  const organisations = new Map(
    test.world.organisations.map(({ organisation }) => [organisationKey(organisation), organisation]),
  )
  const id = test.userId('Nora Lie')
  for (const argv of [
    ['grant', id, 'partner', '23456', '--reason', 'needle-in-the-reason', '--until', '2999-12-31'],
    ['revoke', id, 'partner', '23456'],
    ['import', 'x', '--apply'],
    ['users'],
    ['grants'],
    ['audit'],
    ['status'],
  ])
    await runCommand({ database, organisations, logger, sync: async () => sync }, argv, {
      tell: () => {},
      signal: new AbortController().signal,
      operator: 'kim',
      input: `user_id,organisation,reason\n${id},partner 34567,needle-in-the-reason\n`,
    })
  return log()
}

/** Collects every string of a session row that is long enough for a secret, except user IDs and paths. */
async function rememberSessions(): Promise<void> {
  const { rows } = await test.portal.database.pool.query<Record<string, unknown>>(
    // The organisations and records that the user opened stand in the log by their own right.
    `select *, data - 'recentOrganisations' - 'recentlyViewed' as data from sessions`,
  )
  for (const row of rows) {
    for (const [, text = ''] of JSON.stringify(Object.values(row)).matchAll(/"([^"]{16,})"/g))
      if (!/^\/|^[\da-f]{8}-[\da-f]{4}-5|^\d{4}-\d\d-\d\dT|^signIn:/.test(text)) secrets.add(text)
  }
}

beforeAll(async () => {
  test = await startTestPortal({ env: { SYNC_RETRY_SECONDS: '300' } })
  const browser = await test.signedIn('Åse Bjørk')
  await browser.open('/partners/12345/sales-units?q=needle-in-the-query')
  await browser.open('/partners/23456/developers/webhooks?q=needle-in-the-query')
  await browser.open('/partners/12345/sales-units?q=needle-in-the-query&page=-1')
  await browser.open('/partners/99999')
  await browser.open('/auth/callback?code=needle-in-the-query&state=needle-in-the-query')
  test.api.faults.revokeTokens()
  await browser.open('/merchants/business:NO:ORG/311900456/details')
  test.api.faults.override = ({ path }) =>
    path.endsWith('/price-packages') ? { status: 500, body: { title: 'broken' } } : undefined
  await test.sync()
  await browser.open('/partners/12345/price-packages')
  test.api.faults.override = null
  await signInStepByStep()
  await useWrongCredentials()
  commandLog = await runCommands()
  await rememberSessions()
  await browser.open('/profile')
  await browser.press('Sign out')
})
afterAll(async () => test.stop())

function entries(): Record<string, unknown>[] {
  return test
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

it('each request is one line with ID, user, organisation, route pattern and milliseconds', () => {
  const lines = entries().filter(({ msg, route }) => msg === 'request' && route === '/partners/:partnerId/sales-units')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatchObject({
    method: 'GET',
    status: 200,
    requestId: expect.stringMatching(/^[\da-f-]{36}$/) as string,
    userId: test.userId('Åse Bjørk'),
    organisation: 'partner/12345',
    ms: expect.any(Number) as number,
  })
  expect(lines[1]).toMatchObject({ status: 400 })
})

it('no line has the same member twice', () => {
  for (const line of test.log().trim().split('\n')) {
    const names = [...line.replace(/"err":\{.*\}(?=,)/, '').matchAll(/[{,]"(\w+)":/g)].map(([, name]) => name)
    expect(names).toEqual([...new Set(names)])
  }
})

it('each API call is logged with organisation, purpose, attempt and status', () => {
  const calls = entries().filter(
    ({ purpose, msg, status }) => purpose === 'pricePackages' && msg === 'upstream call failed' && status === 500,
  )
  expect(calls.filter(({ organisation }) => organisation === 'partner/12345')).toHaveLength(3)
  expect(calls[0]).toMatchObject({
    method: 'GET',
    path: '/management/v1/partners/price-packages',
    attempt: 1,
    title: 'broken',
    ms: expect.any(Number) as number,
  })
  // The sync makes these calls, so they belong to no request.
  expect(calls.filter(({ requestId }) => requestId !== undefined)).toEqual([])
})

it('the log contains no secret, token, code, cookie, e-mail address or query at any level', () => {
  const log = test.log() + commandLog
  const keys = test.world.organisations.flatMap(({ keys: own }) =>
    'subscriptionKey' in own ? [own.clientSecret, own.subscriptionKey] : [own.clientSecret],
  )
  expect(secrets.size).toBeGreaterThan(10)
  expect(log).toContain('credentials reloaded')
  expect(log).toContain('credentials not reloaded')
  expect(commandLog.match(/"event":"(grant|revoke)"/g)).toHaveLength(3)
  const forbidden = [
    ...secrets,
    ...keys,
    'needle-in-the-reason',
    ...demoPeople.flatMap(({ email, name }) => [email, name]),
    'client-secret-of-the-tests',
    'session-secret-of-the-tests',
    'needle-in-the-query',
    'Bearer ',
    'eyJ',
    'portal=',
    'code_verifier',
  ]
  expect(log.length).toBeGreaterThan(5000)
  for (const word of forbidden) expect([word, log.includes(word)]).toEqual([word, false])
})
