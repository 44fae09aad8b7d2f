import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { trigramOperators } from './0002-synced-records.ts'

/** Merchants by name and business identifier, for the search on top of every page. */
export const merchantSearch: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`
      alter table merchants add search_text text generated always as (
        lower(normalize(name || E'\n' || replace(key, '/', ':')) collate "default")) stored`.execute(db)
    await sql`
      create index merchants_search on merchants using gin (search_text ${await trigramOperators(db)})
      where gone_at is null`.execute(db)
    await sql`
      create index merchants_order on merchants (organisation, sort_key, key) include (search_text)
      where gone_at is null`.execute(db)
  },
}
