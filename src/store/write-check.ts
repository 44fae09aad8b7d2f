import { sql } from 'kysely'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Database } from './database.ts'

/** How long an answer is used, so that a flood of requests costs one statement a second. */
const freshMs = 1000

/**
 * A function that throws DatabaseUnavailableError when the database does not answer or refuses writes, as a standby
 * does. For requests that would otherwise fail later, at a step that the user cannot repeat.
 */
export function createWriteCheck(database: Database): () => Promise<void> {
  let checked: { readonly at: number; readonly result: Promise<void> } | undefined
  return () => {
    if (!checked || performance.now() - checked.at > freshMs) {
      checked = { at: performance.now(), result: check(database) }
      // The requests that wait for it get the error.
      checked.result.catch(() => {})
    }
    return checked.result
  }
}

async function check({ kysely }: Database): Promise<void> {
  const { rows } = await sql<{ setting: string }>`
    select current_setting('transaction_read_only') as setting`
    .execute(kysely)
    .catch((cause: unknown) => {
      throw cause instanceof DatabaseUnavailableError ? cause : new DatabaseUnavailableError('no answer', { cause })
    })
  if (rows[0]?.setting === 'on') throw new DatabaseUnavailableError('the database is read-only')
}
