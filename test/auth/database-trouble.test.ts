import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'
import { createTestSchema } from '../support/database.ts'
import { type FaultyProvider, startFaultyProvider } from '../support/faulty-provider.ts'
import { startPortalOf } from '../support/portal-of.ts'
import { errorPageOf } from '../support/sign-in-steps.ts'

let provider: FaultyProvider
beforeAll(async () => {
  provider = await startFaultyProvider()
})
afterAll(async () => provider.stop())

const logger = createLogger('silent')

/** Starts a sign-in on a portal with this database. */
async function startWith(database: Database) {
  const portal = await startPortalOf(provider.issuer, { database })
  try {
    const browser = portal.browser()
    const page = await browser.open('/login', { follow: false })
    return { page, cookies: browser.cookies() }
  } finally {
    await portal.stop()
    await database.close()
  }
}

/** A migrated database whose connections have this setting. */
async function databaseWith(setting: string): Promise<Database> {
  const url = new URL(await createTestSchema())
  const writable = openDatabase({ url: url.href, logger })
  await migrate(writable, logger)
  await writable.close()
  url.searchParams.set('options', `${url.searchParams.get('options')} -c ${setting}`)
  return openDatabase({ url: url.href, logger })
}

describe('a sign-in that could not be saved', () => {
  const unavailable = [503, 'The portal cannot reach its database', 'Try again']

  it('is refused before the eID when the database does not answer', async () => {
    const { page, cookies } = await startWith(openDatabase({ url: 'postgres://127.0.0.1:1/none', logger }))
    expect([errorPageOf(page), cookies]).toEqual([unavailable, []])
  })

  it('is refused before the eID when the database is read-only', async () => {
    const { page, cookies } = await startWith(await databaseWith('default_transaction_read_only=on'))
    expect([errorPageOf(page), cookies]).toEqual([unavailable, []])
  })
})
