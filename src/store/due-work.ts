import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'
import { type DetailResource, type ListResource, listResources, type Resource } from './readings.ts'

/** Sees to it that these will be read, now or in up to `spreadSeconds`; what is known already stays as it is. */
export const expectReadings = async (
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  keys: readonly string[],
  spreadSeconds = 0,
): Promise<void> => {
  if (keys.length === 0) return
  await sql`
    insert into sync_state (organisation, resource, key, due_at)
    select ${organisationKey(organisation)}, ${resource}, key,
      case when ${spreadSeconds}::float8 = 0 then 'epoch'::timestamptz
        else now() + random() * ${spreadSeconds}::float8 * interval '1 second' end
    from unnest(${keys}::text[]) as key
    on conflict (organisation, resource, key) do update set due_at = 'epoch'
    where sync_state.due_at = 'infinity'`.execute(db)
}

/** These are not read again by themselves: what they are about is gone. */
export const forgetReadings = async (
  db: Handle,
  organisation: Organisation,
  resources: readonly DetailResource[],
  keys: readonly string[],
): Promise<void> => {
  if (keys.length === 0) return
  await sql`
    update sync_state set due_at = 'infinity', requested_at = null
    where organisation = ${organisationKey(organisation)} and resource = any(${resources}) and key = any(${keys})
  `.execute(db)
}

/**
 * Somebody waits for these, or looks at them: they go before everything else.
 * @param options.onlyUnread not those that have been read meanwhile
 */
export const wantReadings = async (
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  keys: readonly string[],
  options: { readonly onlyUnread: boolean },
): Promise<void> => {
  await sql`
    insert into sync_state (organisation, resource, key, due_at, requested_at)
    select ${organisationKey(organisation)}, ${resource}, key, 'epoch', now() from unnest(${keys}::text[]) as key
    on conflict (organisation, resource, key) do update set requested_at = coalesce(sync_state.requested_at, now())
    where sync_state.checked_at is null or not ${options.onlyUnread}::boolean
  `.execute(db)
}

type Due = { readonly resource: DetailResource; readonly key: string }

/**
 * The next details to read: what somebody looks at, then what has never been read, then the oldest. Webhooks of
 * sales units come last, and only where nothing else is due.
 * @param options.busy `resource key` of what is being read already
 * @param options.queued the same of what is going to be: left out too, unless somebody looks at it
 * @returns `wanted`: whether it is what somebody looks at
 */
export const dueDetails = async (
  db: Handle,
  organisation: Organisation,
  options: {
    readonly limit: number
    readonly busy: readonly string[]
    readonly queued: readonly string[]
  },
): Promise<{ readonly tasks: readonly Due[]; readonly wanted: boolean }> => {
  const key = organisationKey(organisation)
  const { limit, busy, queued } = options
  const free = sql`resource || ' ' || key <> all(${[...busy, ...queued]})`
  const due = (resource: DetailResource) => sql`(
    select resource, key, due_at from sync_state
    where organisation = ${key} and resource = ${resource} and due_at <= now() and ${free}
    order by due_at, key limit ${limit})`
  const wanted = await sql<Due>`
    select resource, key from sync_state
    where organisation = ${key} and requested_at is not null and sync_state.key <> ''
      and resource || ' ' || key <> all(${busy})
    order by requested_at limit ${limit}`.execute(db)
  if (wanted.rows.length > 0) return { tasks: wanted.rows, wanted: true }
  const { rows } = await sql<Due>`
    select resource, key from (
      ${due('salesUnit')} union all ${due('merchant')} union all ${due('productOrder')}) due
    order by due_at, resource, key limit ${limit}`.execute(db)
  if (rows.length > 0) return { tasks: rows, wanted: false }
  const { rows: webhooks } = await sql<Due>`
    select resource, key from ${due('salesUnitWebhooks')} due order by due_at, key`.execute(db)
  return { tasks: webhooks, wanted: false }
}

/** What is due or wanted of these organisations: lists one by one, details an organisation. */
export type DueWork = {
  readonly lists: readonly { readonly organisation: string; readonly resource: ListResource }[]
  /** `wanted` when somebody looks at one of them. */
  readonly details: readonly { readonly organisation: string; readonly wanted: boolean }[]
}

/** @param organisations by organisationKey() */
export const dueOrganisations = async (db: Handle, organisations: readonly string[]): Promise<DueWork> => {
  const lists = await sql<{ organisation: string; resource: ListResource }>`
    select organisation, resource from sync_state
    where organisation = any(${organisations}) and key = '' and resource = any(${listResources})
      and (due_at <= now() or requested_at is not null)`.execute(db)
  const details = await sql<{ organisation: string; wanted: boolean }>`
    select o.organisation, wanted from unnest(${organisations}::text[]) as o(organisation),
      lateral (select exists (
        select from sync_state r where r.organisation = o.organisation and r.requested_at is not null and r.key <> ''
      ) as wanted) w
    where wanted or exists (
      select from unnest(array['salesUnit', 'merchant', 'productOrder', 'salesUnitWebhooks']) as d(resource)
      where exists (
        select from sync_state r
        where r.organisation = o.organisation and r.resource = d.resource and r.due_at <= now()))`.execute(db)
  return { lists: lists.rows, details: details.rows }
}

/** Whether a list is due or wanted: a job for it may have waited behind one that has read it. */
export const isListDue = async (
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
): Promise<boolean> => {
  const { rows } = await sql`
    select from sync_state
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ''
      and (due_at <= now() or requested_at is not null)`.execute(db)
  return rows.length > 0
}

/** So many are made due in one statement: very many take a while, and pages must not wait for that. */
const dueAtOnce = 5000

/**
 * Everything of the organisation is due now: its lists, and each record unless `listsOnly`. What is being written
 * meanwhile is left for last, so that neither waits for the other.
 */
export const makeDue = async (
  db: Handle,
  organisation: Organisation,
  options: { readonly listsOnly: boolean },
): Promise<void> => {
  const lists = options.listsOnly ? sql`key = '' and resource = any(${listResources})` : sql`true`
  const { rows } = await sql<{ now: Date }>`select now()`.execute(db)
  const notDue = sql`
    organisation = ${organisationKey(organisation)} and due_at > 'epoch' and due_at < 'infinity' and ${lists}
      and (checked_at is null or checked_at < ${rows[0]?.now})`
  const makeSomeDue = async (): Promise<bigint> => {
    const { numAffectedRows = 0n } = await sql`
      update sync_state set due_at = 'epoch' where ctid = any(array(
        select ctid from sync_state where ${notDue} limit ${dueAtOnce} for update skip locked))`.execute(db)
    return numAffectedRows
  }
  while ((await makeSomeDue()) > 0n);
  await sql`update sync_state set due_at = 'epoch' where ${notDue}`.execute(db)
}

/** Answers of 404 are remembered for so long; for what somebody typed and nobody ever had. */
const rememberDays = 7

/**
 * Forgets the readings of what the organisation never had, and has merchants that no sales unit of its own or order
 * refers to any more no longer read by themselves.
 */
export const pruneReadings = async (db: Handle, organisation: Organisation): Promise<void> => {
  const key = organisationKey(organisation)
  await sql`
    delete from sync_state r
    where organisation = ${key} and due_at = 'infinity' and requested_at is null
      and checked_at < now() - ${rememberDays}::int * interval '1 day'
      and case resource
        when 'salesUnit' then not exists (select from sales_units t where t.organisation = ${key} and t.key = r.key)
        when 'merchant' then not exists (select from merchants t where t.organisation = ${key} and t.key = r.key)
        when 'productOrder' then not exists (select from product_orders t where t.organisation = ${key} and t.key = r.key)
        else false end`.execute(db)
  const own = organisation.kind === 'merchant' ? `${organisation.scheme}/${organisation.id}` : ''
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
