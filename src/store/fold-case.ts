import { type QueryExecutorProvider, sql } from 'kysely'

/** Creates the SQL function of the first schema's search; migration 0002 replaces it by those of folding.ts. */
export async function createFoldCase(db: QueryExecutorProvider): Promise<void> {
  await sql`
    create function fold_case(given text) returns text language sql immutable parallel safe
    as 'select lower(normalize(given))'`.execute(db)
}
