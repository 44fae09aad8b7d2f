import { type Kysely, sql } from 'kysely'

type Db = Kysely<unknown>

/** The state of the sync, and the history that it writes. */
export async function createSync(db: Db): Promise<void> {
  await sync(db)
  await changes(db)
}

/**
 * `sync_state` stores for every list (`key` is empty) and record when it was read and when it is due. `absent`: the last
 * read of the record was answered 404. `answer_digest` tells an unchanged list, unless a record is not as the list has it.
 * `organisation_sync` stores when an organisation is due, its lease, and since when its users have been active.
 */
async function sync(db: Db): Promise<void> {
  await sql`
    create table sync_state (
      organisation text not null,
      resource text not null,
      key text collate "C" not null default '',
      due_at timestamptz not null default 'epoch',
      requested_at timestamptz,
      unlisted boolean not null default false,
      checked_at timestamptz,
      failing_since timestamptz,
      failures integer not null default 0,
      failure text check (failure in ('unavailable', 'refused', 'limited')),
      failure_said text,
      suspect_since timestamptz,
      available boolean not null default true,
      absent boolean not null default false,
      answer_digest text,
      skipped integer not null default 0,
      total integer,
      done integer,
      facets jsonb,
      primary key (organisation, resource, key)
    )`.execute(db)
  await sql`create index sync_state_due on sync_state (organisation, resource, due_at, key)`.execute(db)
  await sql`
    create index sync_state_unread on sync_state (organisation, resource, due_at) where checked_at is null`.execute(db)
  await sql`
    create index sync_state_failing on sync_state (organisation, due_at) where failures > 0`.execute(db)
  await sql`
    create index sync_state_requested on sync_state (organisation, requested_at)
    where requested_at is not null`.execute(db)
  await sql`
    create table organisation_sync (
      organisation text primary key,
      lists_due_at timestamptz not null default 'epoch',
      details_due_at timestamptz not null default 'infinity',
      requested_at timestamptz,
      leased_by uuid,
      leased_until timestamptz,
      active_since timestamptz,
      active_at timestamptz
    )`.execute(db)
}

/**
 * Append-only: the API has no history, so this is the only one. The changes of one `moment` that are `alike` are shown as
 * one; `alike` is a hash, because it only tells those of one moment apart. The retention job and the removal of an organisation set
 * `portal.history_retention` in their transactions to delete rows.
 */
async function changes(db: Db): Promise<void> {
  await sql`
    create table changes (
      id bigint generated always as identity primary key,
      organisation text not null,
      at timestamptz not null,
      resource text not null,
      key text collate "C" not null,
      kind text not null check (kind in ('added', 'changed', 'removed', 'returned')),
      fields jsonb not null,
      moment timestamptz(3) not null default now(),
      alike integer not null default 0,
      status text not null default '',
      for_viewers boolean not null default false
    )`.execute(db)
  // One for each way to find changes: by kind, by the record, and simply in order.
  for (const index of [
    sql`changes_kind on changes (organisation, resource, kind, status, moment, alike, id) include (for_viewers)`,
    sql`changes_key on changes (organisation, resource, key, moment, alike, id) include (kind, status, for_viewers)`,
    sql`changes_moment on changes (organisation, moment, alike, id)`,
    sql`changes_organisation on changes (organisation, id)`,
  ])
    await sql`create index ${index}`.execute(db)
  // For retention only; rows are inserted in the order of time.
  await sql`create index changes_at on changes using brin (at)`.execute(db)
  await sql`
    create function changes_are_append_only() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and current_setting('portal.history_retention', true) = 'on' then
        return old;
      end if;
      raise exception 'the history of changes is append-only';
    end $$`.execute(db)
  await sql`
    create trigger changes_are_append_only before update or delete on changes
    for each row execute function changes_are_append_only()`.execute(db)
  await sql`
    create trigger changes_are_not_truncated before truncate on changes
    for each statement execute function changes_are_append_only()`.execute(db)
}
