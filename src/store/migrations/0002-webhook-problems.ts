import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Why a webhook cannot work, and the order of the list by it: those that cannot come first. */
export const webhookProblems: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql`
      alter table webhooks add problem_rank smallint not null generated always as (case
        when url !~* '^https://' then 1
        when jsonb_path_exists(listed, '$.events[*] ? (@ like_regex "[^ ]")') then 3
        else 2 end) stored`.execute(db)
    await sql`
      create index webhooks_problem on webhooks (organisation, problem_rank, msn, url, key)
      where removed_at is null`.execute(db)
  },
}
