import type { Database } from '../../src/store/database.ts'

/** Holds every read of sales units until `meanwhile` has ended; a statement of a page ends after two seconds. */
export async function whileSalesUnitsWait({ pool }: Database, meanwhile: () => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('lock table sales_units in access exclusive mode')
    await meanwhile()
  } finally {
    await client.query('rollback')
    client.release()
  }
}
