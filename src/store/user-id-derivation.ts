import { sql } from 'kysely'
import type { Handle } from './database.ts'

const name = 'user ID derivation'

/**
 * Remembers how this installation derives user IDs, unless users or grants have IDs that were derived in another way.
 * @param derivation as userIdDerivation() names it
 * @returns the other derivation, or undefined when this one may be used
 */
export async function claimUserIdDerivation(db: Handle, derivation: string): Promise<string | undefined> {
  return db.transaction().execute(async (trx) => {
    await sql`
      insert into installation (name, value) values (${name}, ${derivation}) on conflict do nothing`.execute(trx)
    const { rows } = await sql<{ value: string }>`
      select value from installation where name = ${name} for update`.execute(trx)
    const [stored] = rows
    if (!stored || stored.value === derivation) return undefined
    const { rows: used } = await sql`
      (select from users limit 1) union all (select from grants limit 1)`.execute(trx)
    if (used.length > 0) return stored.value
    await sql`update installation set value = ${derivation} where name = ${name}`.execute(trx)
    return undefined
  })
}
