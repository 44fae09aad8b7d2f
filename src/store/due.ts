import { sql } from 'kysely'
import { merchantKey } from '../domain/business-identifier.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'
import { type DetailResource, listResources, type Resource } from './sync-state.ts'

/** Schedules these for the sync: new ones are due at once, known ones keep their due time. */
export async function ensureDue(
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return
  await sql`
    insert into sync_state (organisation, resource, key, due_at)
    select ${organisationKey(organisation)}, ${resource}, key, 'epoch' from unnest(${keys}::text[]) as key
    on conflict (organisation, resource, key) do update set due_at = 'epoch'
    where sync_state.due_at = 'infinity'`.execute(db)
}

/** Schedules the lists that organisations have from the start, as `ensureDue`. */
export async function addLists(
  db: Handle,
  rows: readonly { readonly organisation: string; readonly resource: Resource; readonly key: string }[],
): Promise<void> {
  await sql`
    insert into sync_state (organisation, resource, key, due_at)
    select organisation, resource, key, 'epoch'
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(organisation text, resource text, key text)
    on conflict (organisation, resource, key) do update set due_at = 'epoch'
    where sync_state.due_at = 'infinity'`.execute(db)
}

/** Stops refreshing these, because their record was removed. */
export async function stopSyncing(
  db: Handle,
  organisation: Organisation,
  resources: readonly DetailResource[],
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return
  await sql`
    update sync_state set due_at = 'infinity', requested_at = null
    where organisation = ${organisationKey(organisation)} and resource = any(${resources}) and key = any(${keys})
  `.execute(db)
}

/**
 * Requests a refresh of these for a user. They come before everything else, and the organisation is due at once.
 * @param options.onlyUnread leaves out what has been read meanwhile
 * @param options.unlisted no list has these keys: they are read after the lists, and once only
 */
export async function requestRefresh(
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  keys: readonly string[],
  options: { readonly onlyUnread?: boolean; readonly unlisted?: boolean } = {},
): Promise<void> {
  const key = organisationKey(organisation)
  const { onlyUnread = false, unlisted = false } = options
  await sql`
    with requested as (
      insert into sync_state (organisation, resource, key, due_at, requested_at, unlisted)
      select ${key}, ${resource}, key, case when ${unlisted}::boolean then 'infinity' else 'epoch' end::timestamptz,
        now(), ${unlisted}::boolean
      from unnest(${keys}::text[]) as key
      on conflict (organisation, resource, key) do update
      set requested_at = coalesce(sync_state.requested_at, now()), unlisted = excluded.unlisted
      where sync_state.checked_at is null or not ${onlyUnread}::boolean
      returning 1)
    insert into organisation_sync as o (organisation, requested_at)
    select ${key}, now() where exists (select from requested)
    on conflict (organisation) do update set requested_at = coalesce(o.requested_at, now())`.execute(db)
}

/** One list or record to read. */
export type DueTask = {
  readonly resource: Resource
  readonly key: string
  readonly priority: 'requested' | 'list' | 'unlisted' | 'background'
  /** Whether it has been read before, and the age of a suspect answer. */
  readonly isRead: boolean
  readonly suspectSeconds: number | null
  /** Lists: a digest of the last answer, when the store has all of it. */
  readonly answerDigest: string | null
}

/**
 * The most urgent tasks of an organisation: requested by a user, lists, unlisted keys requested by a user, records
 * never read, the oldest records, and last the webhooks of sales units. Sales units come before merchants, so that those
 * read last do not leave the rate unused until their merchants are known.
 * @param options.busy `resource key` of tasks that are running, which are left out
 * @param options.listSlackSeconds healthy lists that are due within this are read with those that are due now
 */
export async function dueTasks(
  db: Handle,
  organisation: Organisation,
  options: {
    readonly limit: number
    readonly busy: readonly string[]
    readonly listSlackSeconds: number
    readonly listsOnly?: boolean
  },
): Promise<DueTask[]> {
  const key = organisationKey(organisation)
  const { limit, busy, listSlackSeconds, listsOnly = false } = options
  const idle = sql`resource || ' ' || key <> all(${busy})`
  const details = (resource: DetailResource, urgency: number) => sql`(
    select resource, key, ${sql.lit(urgency)} as urgency, due_at as since, checked_at, suspect_since, null as answer_digest
    from sync_state
    where organisation = ${key} and resource = ${resource} and due_at <= now() and ${idle}
      and not ${listsOnly}::boolean
    order by due_at, key limit ${limit})`
  const { rows } = await sql<Omit<DueTask, 'priority'> & { urgency: number }>`
    select resource, key, min(urgency) as urgency, max(checked_at) is not null as "isRead",
      extract(epoch from now() - min(suspect_since))::float8 as "suspectSeconds", max(answer_digest) as "answerDigest" from (
      (select resource, key, case when unlisted then 2 else 0 end as urgency, requested_at as since,
          checked_at, suspect_since, answer_digest from sync_state
        where organisation = ${key} and requested_at is not null and ${idle}
        order by requested_at limit ${limit})
      union all
      (select resource, key, 1, due_at, checked_at, suspect_since, answer_digest from sync_state
        where organisation = ${key} and resource = any(${listResources}) and key = ''
          and due_at <= now() + case when failures = 0 and suspect_since is null
            then ${listSlackSeconds}::float8 else 0 end * interval '1 second' and ${idle})
      union all ${details('salesUnit', 3)}
      union all ${details('merchant', 3)}
      union all ${details('productOrder', 3)}
      union all ${details('salesUnitWebhooks', 4)}) due
    group by resource, key order by min(urgency), min(since), resource desc, key limit ${limit}`.execute(db)
  return rows.map(({ urgency, ...task }) => ({ ...task, priority: priorities[urgency] ?? 'background' }))
}

const priorities = ['requested', 'list', 'unlisted'] as const

/** Rows per statement: a statement for very many rows takes long, and requests must not wait for it. */
const dueAtOnce = 5000

/**
 * Makes everything of the organisation due now: its lists, and each record unless `listsOnly`. Locked rows are updated
 * last, to avoid deadlocks and waits.
 */
export async function makeDue(
  db: Handle,
  organisation: Organisation,
  options: { readonly listsOnly: boolean; readonly answeringOnly?: boolean },
): Promise<void> {
  const answering = options.answeringOnly ? sql`and failing_since is null` : sql``
  const lists = options.listsOnly ? sql`key = '' and resource = any(${listResources})` : sql`true`
  const { rows } = await sql<{ now: Date }>`select now()`.execute(db)
  const notDue = sql`
    organisation = ${organisationKey(organisation)} and due_at > 'epoch' and due_at < 'infinity' and ${lists}
      and (checked_at is null or checked_at < ${rows[0]?.now}) ${answering}`
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      update sync_state set due_at = 'epoch' where ctid = any(array(
        select ctid from sync_state where ${notDue} limit ${dueAtOnce} for update skip locked))`.execute(db)
    if (numAffectedRows === 0n) break
  }
  await sql`update sync_state set due_at = 'epoch' where ${notDue}`.execute(db)
  await sql`
    insert into organisation_sync (organisation, details_due_at)
    values (${organisationKey(organisation)}, 'epoch')
    on conflict (organisation) do update set lists_due_at = 'epoch',
      details_due_at = case when ${options.listsOnly}::boolean
        then organisation_sync.details_due_at else 'epoch' end`.execute(db)
}

/** How long a 404 is remembered for a key that the organisation never had. */
const keepAbsentDays = 7

/**
 * Deletes the state of records that the organisation never had, and stops refreshing merchants without sales units and
 * orders.
 */
export async function pruneSyncState(db: Handle, organisation: Organisation): Promise<void> {
  const key = organisationKey(organisation)
  await sql`
    delete from sync_state r
    where organisation = ${key} and due_at = 'infinity' and requested_at is null
      and checked_at < now() - ${keepAbsentDays}::int * interval '1 day'
      and case resource
        when 'salesUnit' then not exists (select from sales_units t where t.organisation = ${key} and t.key = r.key)
        when 'merchant' then not exists (select from merchants t where t.organisation = ${key} and t.key = r.key)
        when 'productOrder' then not exists (select from product_orders t where t.organisation = ${key} and t.key = r.key)
        else false end`.execute(db)
  const own = organisation.kind === 'merchant' ? merchantKey(organisation) : ''
  await sql`
    update sync_state r set due_at = 'infinity'
    where organisation = ${key} and resource = 'merchant' and due_at < 'infinity' and requested_at is null and key <> ${own}
      and not exists (
        select from sales_units s
        where s.organisation = ${key} and s.removed_at is null
          and s.scheme = split_part(r.key, '/', 1) and s.business_id = split_part(r.key, '/', 2))
      and not exists (
        select from product_orders o
        where o.organisation = ${key} and o.removed_at is null
          and o.scheme = split_part(r.key, '/', 1) and o.business_id = split_part(r.key, '/', 2))`.execute(db)
}
