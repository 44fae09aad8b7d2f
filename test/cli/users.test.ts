import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CommandCall } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/commands.ts'
import { createLogger } from '../../src/logger.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'

let test: TestPortal
let kari: Browser
let id: string
let asked: string[] = []
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  id = test.userId('Kari Nordmann')
  await kari.open('/partners/12345')
  // A visit is noted after the response has been sent.
  await until(async () => (await test.portal.database.pool.query('select from visits')).rowCount === 1)
})
afterAll(async () => test.stop())

const logger = createLogger('silent')
async function run(line: string, answer?: boolean) {
  asked = []
  const confirm = async (question: string) => {
    asked.push(question)
    return answer === true
  }
  const call: CommandCall = {
    tell: () => {},
    signal: new AbortController().signal,
    operator: 'kim',
    confirm: answer === undefined ? undefined : confirm,
  }
  const sync = () => Promise.reject(new Error('this command reads nothing'))
  const deps = { database: test.portal.database, organisations: new Map(), logger, sync }
  return runCommand(deps, line.split(' '), call)
}

/** Every text in every table that holds personal data, but for the audit log. */
async function storedText(): Promise<string> {
  const tables = ['users', 'grants', 'sessions', 'email_codes', 'code_mails', 'visits']
  const texts = tables.map(async (table) =>
    JSON.stringify((await test.portal.database.pool.query(`table ${table}`)).rows),
  )
  return (await Promise.all(texts)).join('\n')
}

it('users show prints everything that is stored of a user, and no secret', async () => {
  await test.portal.database.pool.query(
    `insert into email_codes (user_id, email, code_mac) values ($1, 'third-party@example.com', 'mac-of-the-code')`,
    [id],
  )
  const { output, exitCode } = await run(`users show ${id}`)
  expect(exitCode).toBe(0)
  expect(JSON.parse(output)).toMatchObject({
    user: { id, name: 'Kari Nordmann', subject: 'k7w2m9qa', verified_email: 'kari.nordmann@nordlys.example' },
    grants: [{ organisation: 'partner/12345', role: 'developer', granted_by: 'demo' }],
    sessions: [{ address: '127.0.0.0/24' }],
    email_code: { email: 'third-party@example.com' },
    audit_entries: expect.any(Number),
  })
  expect(output).not.toMatch(/mac-of-the-code|encrypted|csrf/i)
  expect(await run('users show 00000000-0000-5000-8000-000000000001')).toMatchObject({
    exitCode: 1,
    error: 'nothing is stored of 00000000-0000-5000-8000-000000000001',
  })
})

it('users remove asks first, and deletes nothing when the answer is no or cannot be given', async () => {
  const before = await storedText()
  expect((await run(`users remove ${id}`, false)).error).toBe('nothing was deleted')
  expect(asked).toEqual([
    `Delete Kari Nordmann (${id}) for ever: 1 user, 1 grant, 1 session, 1 visit, 1 pending code? yes or no: `,
  ])
  expect(await run(`users remove ${id}`)).toMatchObject({ exitCode: 1, error: expect.stringContaining('add --yes') })
  expect(await storedText()).toBe(before)
  expect((await run(`users remove`)).exitCode).toBe(2)
  expect((await run(`users remove ${id} now`, true)).error).toContain('unexpected argument "now"')
})

it('users remove deletes the user everywhere, ends the sessions, and leaves the ID in the audit log', async () => {
  expect((await kari.open('/partners/12345')).status).toBe(200)
  const removed = await run(`users remove ${id} --by Ada`, true)
  expect(removed).toMatchObject({
    exitCode: 0,
    output: `${id} has been deleted: 1 user, 1 grant, 1 session, 1 visit, 1 pending code. The audit log keeps the user ID.`,
  })
  expect((await kari.open('/partners/12345')).url.pathname).toBe('/')
  expect(await storedText()).not.toMatch(new RegExp(`${id}|Kari|k7w2m9qa|kari\\.nordmann|third-party`))
  await test.portal.audit.flush()
  const audit = await test.portal.database.pool.query('select event, user_id, details from audit order by id')
  expect(audit.rows).toContainEqual({ event: 'user removed', user_id: id, details: { reason: 'operator', by: 'Ada' } })
  expect(JSON.stringify(audit.rows)).not.toMatch(/Kari|nordmann|k7w2m9qa/)
  expect(await run(`users remove ${id} --yes`)).toMatchObject({ exitCode: 1, error: `nothing is stored of ${id}` })
})

it('a removed user can sign in again, as a new user without access', async () => {
  const again = await test.signedIn('Kari Nordmann')
  expect((await again.open('/select')).words).toContain('You do not have access to any business yet')
  const { output } = await run(`users remove ${id} --yes`)
  expect(output).toContain(`${id} has been deleted`)
  expect(asked).toEqual([])
})
