import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Who did what, for good: no row is changed, and none is deleted but by the retention, which says so with
 * `portal.audit_retention` in its own transaction.
 */
export const audit: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`
      create table audit (
        id bigint generated always as identity primary key,
        at timestamptz not null default now(),
        event text not null,
        user_id uuid,
        organisation text,
        address text,
        details jsonb not null default '{}'
      )`.execute(db)
    await sql`create index audit_at on audit (at)`.execute(db)
    await sql`create index audit_user on audit (user_id, at)`.execute(db)
    await sql`create index audit_organisation on audit (organisation, at)`.execute(db)
    await sql`
      create function audit_is_append_only() returns trigger language plpgsql as $$
      begin
        if tg_op = 'DELETE' and current_setting('portal.audit_retention', true) = 'on' then
          return old;
        end if;
        raise exception 'the audit log is append-only';
      end $$`.execute(db)
    await sql`
      create trigger audit_is_append_only before update or delete on audit
      for each row execute function audit_is_append_only()`.execute(db)
    await sql`
      create trigger audit_is_not_truncated before truncate on audit
      for each statement execute function audit_is_append_only()`.execute(db)
  },
}
