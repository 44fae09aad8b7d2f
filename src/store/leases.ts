import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'
import { listResources } from './sync-state.ts'

/** How long a lease lasts without renewal. After that, another instance may take the organisation. */
export const leaseSeconds = 15

const leaseEnd = sql`now() + ${leaseSeconds}::float8 * interval '1 second'`

/** Adds organisations that are new to the database; they are due at once. */
export async function addOrganisations(db: Handle, organisations: readonly string[]): Promise<void> {
  if (organisations.length === 0) return
  await sql`
    insert into organisation_sync (organisation) select unnest(${organisations}::text[])
    on conflict do nothing`.execute(db)
}

/**
 * Leases due organisations that have no instance: first those that a user waits for, then those with due lists, then
 * the others. `skip locked` keeps instances from waiting for each other.
 * @param options.organisations those that may be leased, by organisationKey()
 * @returns the leased ones
 */
export async function leaseOrganisations(
  db: Handle,
  options: { readonly instance: string; readonly organisations: readonly string[]; readonly limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ organisation: string }>`
    with due as (
      select organisation from organisation_sync
      where organisation = any(${options.organisations})
        and (requested_at is not null or lists_due_at <= now() or details_due_at <= now())
        and (leased_until is null or leased_until < now())
      order by requested_at nulls last, lists_due_at > now(), least(lists_due_at, details_due_at), organisation
      limit ${options.limit} for update skip locked)
    update organisation_sync o
    set leased_by = ${options.instance}, leased_until = ${leaseEnd}, requested_at = null
    from due where o.organisation = due.organisation
    returning o.organisation`.execute(db)
  return rows.map(({ organisation }) => organisation)
}

/** Whether any of these organisations is due without a lease; `urgently`: it has due lists, or a user waits. */
export async function findWaiting(
  db: Handle,
  organisations: readonly string[],
): Promise<{ readonly urgently: boolean; readonly atAll: boolean }> {
  const { rows } = await sql<{ urgently: boolean | null; atAll: boolean }>`
    select bool_or(requested_at is not null or lists_due_at <= now()) as urgently, count(*) > 0 as "atAll"
    from organisation_sync
    where organisation = any(${organisations})
      and (requested_at is not null or lists_due_at <= now() or details_due_at <= now())
      and (leased_until is null or leased_until < now())`.execute(db)
  return { urgently: rows[0]?.urgently ?? false, atAll: rows[0]?.atAll ?? false }
}

/** Renews this instance's leases. @returns the organisations that it still holds */
export async function renewLeases(db: Handle, instance: string, organisations: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ organisation: string }>`
    update organisation_sync set leased_until = ${leaseEnd}
    where organisation = any(${organisations}) and leased_by = ${instance}
    returning organisation`.execute(db)
  return rows.map(({ organisation }) => organisation)
}

/** The organisations leased by this instance that users have requested since they were leased, or since the last call. */
export async function takeRequests(db: Handle, instance: string): Promise<string[]> {
  const { rows } = await sql<{ organisation: string }>`
    update organisation_sync set requested_at = null
    where leased_by = ${instance} and requested_at is not null returning organisation`.execute(db)
  return rows.map(({ organisation }) => organisation)
}

/**
 * Ends a lease and writes when the organisation is due next: with its next list, or earlier for details that were never
 * read or that failed. Other details wait for the next list.
 * @param next.pauseSeconds the earliest due time, unless a user asks
 * @param next.isUnfinished details were left, and are due now
 */
export async function releaseLease(
  db: Handle,
  instance: string,
  organisation: string,
  next: { readonly pauseSeconds: number; readonly isUnfinished: boolean },
): Promise<void> {
  const earliest = sql`now() + ${next.pauseSeconds}::float8 * interval '1 second'`
  await db.transaction().execute(async (transaction) => {
    // Locks first: a statement that waits for the row does not see requests that were made meanwhile.
    await sql`select from organisation_sync where organisation = ${organisation} for update`.execute(transaction)
    await sql`
    update organisation_sync set leased_by = null, leased_until = null,
      lists_due_at = greatest(${earliest}, (
        select coalesce(min(due_at), 'infinity') from sync_state
        where organisation = ${organisation} and key = '' and resource = any(${listResources}))),
      details_due_at = greatest(${earliest}, least(
        case when ${next.isUnfinished}::boolean then now() end,
        (select min(due_at) from sync_state
          where organisation = ${organisation} and checked_at is null
            and resource = any(array['salesUnit', 'merchant', 'productOrder', 'salesUnitWebhooks'])),
        -- Made due on purpose, perhaps after the worker's last look; other known details wait for the next list.
        (select min(due_at) from sync_state
          where organisation = ${organisation} and due_at = 'epoch'
            and resource = any(array['salesUnit', 'merchant', 'productOrder', 'salesUnitWebhooks'])),
        (select min(due_at) from sync_state
          where organisation = ${organisation} and failures > 0 and key <> ''), 'infinity')),
      requested_at = (
        select min(requested_at) from sync_state where organisation = ${organisation} and requested_at is not null)
    where organisation = ${organisation} and leased_by = ${instance}`.execute(transaction)
  })
}

/** How many of these organisations are due and not leased, and how many are leased. */
export async function countLeases(
  db: Handle,
  organisations: readonly string[],
): Promise<{ readonly due: number; readonly leased: number }> {
  const { rows } = await sql<{ due: number; leased: number }>`
    select count(*) filter (where leased_until > now())::int as leased,
      count(*) filter (where coalesce(leased_until <= now(), true)
        and (requested_at is not null or lists_due_at <= now() or details_due_at <= now()))::int as due
    from organisation_sync where organisation = any(${organisations})`.execute(db)
  return rows[0] ?? { due: 0, leased: 0 }
}

/**
 * Records a page view of a user of the organisation. An idle organisation becomes active: its lists are due by the
 * shorter period, counted from their last check.
 * @returns since when it has been active
 */
export async function noteActivity(
  db: Handle,
  organisation: Organisation,
  periods: { readonly activeForSeconds: number; readonly listSeconds: number },
): Promise<Date> {
  const key = organisationKey(organisation)
  const { rows } = await sql<{ since: Date; began: boolean }>`
    insert into organisation_sync as o (organisation, active_since, active_at) values (${key}, now(), now())
    on conflict (organisation) do update set active_at = now(),
      active_since = case when o.active_at > now() - ${periods.activeForSeconds}::float8 * interval '1 second'
        then o.active_since else now() end
    returning active_since as since, active_since = now() as began`.execute(db)
  const [row] = rows
  if (row?.began) {
    await sql`
      with sooner as (
        update sync_state set due_at = least(due_at, checked_at + ${periods.listSeconds}::float8 * interval '1 second')
        where organisation = ${key} and key = '' and resource = any(${listResources}) and checked_at is not null
          and failing_since is null returning due_at)
      update organisation_sync set lists_due_at = least(lists_due_at, (select min(due_at) from sooner))
      where organisation = ${key}`.execute(db)
  }
  return row?.since ?? new Date()
}
