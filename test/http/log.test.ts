import { afterAll, beforeAll, expect, it } from 'vitest'
import { demoPeople } from '../../src/demo/people.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ env: { SYNC_RETRY_SECONDS: '300' } })
  const browser = await test.signedIn('Åse Bjørk')
  await browser.open('/partners/12345/sales-units?q=needle-in-the-query')
  await browser.open('/partners/23456/developers/webhooks?q=needle-in-the-query')
  await browser.open('/partners/12345/sales-units?q=needle-in-the-query&page=-1')
  await browser.open('/partners/99999')
  await browser.open('/auth/callback?code=needle-in-the-query&state=needle-in-the-query')
  test.api.weather.revokeTokens()
  await browser.open('/merchants/business:NO:ORG/311900456/details')
  test.api.weather.override = ({ path }) =>
    path.endsWith('/price-packages') ? { status: 500, body: { title: 'broken' } } : undefined
  await test.sync()
  await browser.open('/partners/12345/price-packages')
  test.api.weather.override = null
  await browser.open('/profile')
  await browser.press('Sign out')
})
afterAll(async () => test.stop())

const entries = (): Record<string, unknown>[] =>
  test
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

it('has one line a request: id, user, organisation, route pattern, milliseconds', () => {
  const lines = entries().filter(
    ({ msg, route }) => msg === 'request' && route === '/partners/:partnerId/sales-units',
  )
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

it('writes no name twice in a line', () => {
  for (const line of test.log().trim().split('\n')) {
    const names = [...line.replace(/"err":\{.*\}(?=,)/, '').matchAll(/[{,]"(\w+)":/g)].map(([, name]) => name)
    expect(names).toEqual([...new Set(names)])
  }
})

it('says for whom and for what the API was called, and how it answered', () => {
  const calls = entries().filter(
    ({ purpose, msg, status }) =>
      purpose === 'pricePackages' && msg === 'upstream call failed' && status === 500,
  )
  expect(calls.filter(({ organisation }) => organisation === 'partner/12345')).toHaveLength(3)
  expect(calls[0]).toMatchObject({
    method: 'GET',
    path: '/management/v1/partners/price-packages',
    attempt: 1,
    title: 'broken',
    ms: expect.any(Number) as number,
  })
  // Nobody waits for it: it is no part of a request.
  expect(calls.filter(({ requestId }) => requestId !== undefined)).toEqual([])
})

it('holds no secret, token, code, cookie, e-mail address or query at any level', () => {
  const log = test.log()
  const secrets = test.world.organisations.flatMap(({ keys }) =>
    'subscriptionKey' in keys ? [keys.clientSecret, keys.subscriptionKey] : [keys.clientSecret],
  )
  const forbidden = [
    ...secrets,
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
