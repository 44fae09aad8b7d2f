import { sql } from 'kysely'
import { DatabaseUnavailableError, ReadOnlyDatabaseError } from '../errors.ts'
import type { Database, Handle } from './database.ts'

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
      checked = { at: performance.now(), result: requireWritable(database.kysely) }
      // The requests that wait for it get the error.
      checked.result.catch(() => {})
    }
    return checked.result
  }
}

/** @throws DatabaseUnavailableError when the database does not answer, ReadOnlyDatabaseError with the remedy */
export async function requireWritable(db: Handle): Promise<void> {
  const { rows } = await sql<{ isReadOnly: boolean; isStandby: boolean; user: string }>`
    select current_setting('transaction_read_only') = 'on' as "isReadOnly", pg_is_in_recovery() as "isStandby",
      quote_ident(current_user) as user`
    .execute(db)
    .catch((cause: unknown) => {
      throw cause instanceof DatabaseUnavailableError ? cause : new DatabaseUnavailableError('no answer', { cause })
    })
  const [found] = rows
  if (!found?.isReadOnly) return
  throw new ReadOnlyDatabaseError(
    found.isStandby
      ? 'the database is read-only because it is a standby: DATABASE_URL must name the primary'
      : `the database is read-only (default_transaction_read_only is on): alter role ${found.user} set default_transaction_read_only = off`,
  )
}
