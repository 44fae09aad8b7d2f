import { afterAll, beforeAll, expect, it } from 'vitest'
import { userIdDerivation, userIdOf } from '../../src/auth/user-id.ts'
import { claimUserIdDerivation } from '../../src/store/user-id-derivation.ts'
import { createTestSchema, openTestDatabase } from '../support/database.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const secret = 'ab'.repeat(32)
const other = Buffer.from('cd'.repeat(32), 'hex').toString('base64')

let DATABASE_URL: string
beforeAll(async () => {
  DATABASE_URL = await createTestSchema()
})

let running: TestPortal | undefined
afterAll(async () => running?.stop())

/** Starts the portal on the same database as before, with this environment. */
function start(env: Readonly<Record<string, string>>): Promise<TestPortal> {
  return startTestPortal({ env: { DATABASE_URL, ...env }, synced: false })
}

/** The user ID that the profile page shows to Freja. */
async function idShown(test: TestPortal): Promise<string> {
  const freja = await test.signedIn('Freja Østergård')
  return (await freja.open('/profile')).$('#user-id').text()
}

it('the IDs of users are derived with the secret', async () => {
  running = await start({ USER_ID_SECRET: secret })
  const id = await idShown(running)
  expect(id).toBe(userIdOf(running.issuer, 'f9c4n2ve', Buffer.from(secret, 'hex')))
  expect(id).not.toBe(running.userId('Freja Østergård'))
})

it.each([
  [
    'another secret',
    { USER_ID_SECRET: other },
    'USER_ID_SECRET is not the one that made the IDs of the existing users',
  ],
  ['no secret', {}, 'USER_ID_SECRET is missing: the IDs of the existing users were made with it'],
])('the portal does not start with %s while there are users', async (_what, env, problem) => {
  await expect(start(env)).rejects.toThrow(problem)
})

it('the portal does not start with a secret while there are users without', async () => {
  DATABASE_URL = await createTestSchema()
  const test = await start({})
  await test.stop()
  await expect(start({ USER_ID_SECRET: secret })).rejects.toThrow('USER_ID_SECRET cannot be set now')
})

it('an installation without users may begin with another secret', async () => {
  const database = await openTestDatabase()
  const claim = (value: string) => claimUserIdDerivation(database.kysely, value)
  const [one, two] = [secret, other].map((value) => userIdDerivation(Buffer.from(value)))
  expect(await claim('UUIDv5')).toBeUndefined()
  expect(await claim(String(one))).toBeUndefined()
  await database.pool.query(`insert into users (id, issuer, subject) values (gen_random_uuid(), 'i', 's')`)
  expect(await claim(String(two))).toBe(one)
  expect(await claim(String(one))).toBeUndefined()
  await database.close()
})
