import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Grants with a role, an end, who gave them and why. Whoever had one could see everything, and still can; one that does
 * not say (an older portal beside this one) is the least there is.
 */
export const grantRoles: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`
      alter table grants
        add column role text not null default 'developer' check (role in ('viewer', 'developer')),
        add column ends_at timestamptz,
        add column granted_by text,
        add column reason text`.execute(db)
    await sql`alter table grants alter column role set default 'viewer'`.execute(db)
  },
}
