import { sql } from 'kysely'
import { type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import { portalTimeZone } from '../domain/time-zone.ts'
import type { Database, Handle } from './database.ts'
import { lockOrganisation } from './records.ts'

/** A row of the operator's file: the price package of a sales unit from this day on, such as 2026-01-31. */
export type Assignment = { readonly msn: string; readonly pricePackageId: string; readonly from: string }

/** An assignment with the organisationKey() of the partner. */
export type StoredAssignment = Assignment & { readonly organisation: string }

const today = sql`(now() at time zone ${sql.lit(portalTimeZone)})::date`

/** The assignments of these partners' sales units. @param partners by organisationKey() */
export async function assignmentsOf(
  db: Handle,
  partners: readonly string[],
  msns: readonly string[],
): Promise<StoredAssignment[]> {
  const { rows } = await sql<StoredAssignment>`
    select organisation, msn, price_package_id as "pricePackageId", valid_from::text as "from"
    from price_package_assignments where organisation = any(${partners}::text[]) and msn = any(${msns}::text[])`.execute(
    db,
  )
  return rows
}

/** Adds or overwrites assignments of one partner, and applies those that have begun. Call it in a transaction. */
export async function writeAssignments(
  trx: Handle,
  partner: OrganisationReference,
  assignments: readonly Assignment[],
): Promise<void> {
  await sql`set local statement_timeout = 0`.execute(trx)
  await lockOrganisation(trx, partner)
  const column = (name: keyof Assignment) => sql`${assignments.map((assignment) => assignment[name])}::text[]`
  await sql`
    insert into price_package_assignments (organisation, msn, price_package_id, valid_from, is_pending)
    select ${organisationKey(partner)}, msn, price_package_id, valid_from::date, valid_from::date > ${today}
    from unnest(${column('msn')}, ${column('pricePackageId')}, ${column('from')}) given (msn, price_package_id, valid_from)
    on conflict (organisation, msn, valid_from) do update
    set price_package_id = excluded.price_package_id, is_pending = excluded.is_pending`.execute(trx)
  await assignPricePackages(trx, partner, [...new Set(assignments.map(({ msn }) => msn))])
}

/** Applies the assignments that have begun since they were imported; usually there are none. */
export async function applyBegunAssignments(db: Database['kysely'], partner: OrganisationReference): Promise<void> {
  const begun = sql`organisation = ${organisationKey(partner)} and is_pending and valid_from <= ${today}`
  const { rows } = await sql`select from price_package_assignments where ${begun} limit 1`.execute(db)
  if (rows.length === 0) return
  await db.transaction().execute(async (trx) => {
    await lockOrganisation(trx, partner)
    const applied = await sql<{ msn: string }>`
      update price_package_assignments set is_pending = false where ${begun} returning msn`.execute(trx)
    await assignPricePackages(trx, partner, [...new Set(applied.rows.map(({ msn }) => msn))])
  })
}

/**
 * Writes to sales units which price package they have: as the API says of the sales unit, or of its order, or as the
 * operator's file says. Call it in a transaction that has locked the organisation.
 */
export async function assignPricePackages(
  trx: Handle,
  organisation: OrganisationReference,
  msns: readonly string[],
): Promise<void> {
  if (msns.length === 0) return
  const own = sql`organisation = ${organisationKey(organisation)}`
  await sql`
    with ordered as (
      select distinct on (msn) msn, price_package_id from product_orders
      where ${own} and msn = any(${msns}::text[]) and price_package_id is not null and removed_at is null
      order by msn, changed_at desc
    ), given as (
      select distinct on (msn) msn, price_package_id, valid_from from price_package_assignments
      where ${own} and msn = any(${msns}::text[]) and valid_from <= ${today}
      order by msn, valid_from desc
    ), answered as (
      select u.key, coalesce(u.api_price_package_id, o.price_package_id) as api, g.price_package_id as given,
        g.valid_from::timestamp at time zone ${sql.lit(portalTimeZone)} as given_since
      from sales_units u left join ordered o on o.msn = u.key left join given g on g.msn = u.key
      where u.${own} and u.key = any(${msns}::text[])
    )
    update sales_units s set price_package_id = coalesce(api, given),
      price_package_source = case when api is not null then 'api' when given is not null then 'file' end,
      price_package_since = case when api is null then given_since
        when (s.price_package_source, s.price_package_id) = ('api', api) then s.price_package_since
        else now() end
    from answered
    where s.${own} and s.key = answered.key
      and (s.price_package_id, s.price_package_source, case when api is null then s.price_package_since end)
        is distinct from (coalesce(api, given),
          case when api is not null then 'api' when given is not null then 'file' end,
          case when api is null then given_since end)`.execute(trx)
}

/** A partner's sales unit, for the import. */
export type PartnerSalesUnit = { readonly organisation: string; readonly msn: string }

/** These partners' sales units with these MSNs, current ones first. @param partners by organisationKey() */
export async function partnerSalesUnits(
  db: Handle,
  partners: readonly string[],
  msns: readonly string[],
): Promise<PartnerSalesUnit[]> {
  const { rows } = await sql<PartnerSalesUnit>`
    select organisation, key as msn from sales_units
    where organisation = any(${partners}::text[]) and key = any(${msns}::text[])
    order by removed_at is not null, organisation`.execute(db)
  return rows
}

/** The number of current sales units by price package, of those that are known to have one. */
export async function countByPricePackage(
  db: Handle,
  partner: OrganisationReference,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ id: string; count: number }>`
    select price_package_id as id, count(*)::int as count from sales_units
    where organisation = ${organisationKey(partner)} and removed_at is null and price_package_id is not null
    group by price_package_id`.execute(db)
  return new Map(rows.map(({ id, count }) => [id, count]))
}

/** The IDs of the price packages that current sales units are known to have. */
export async function usedPricePackages(db: Handle, partner: OrganisationReference): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select key as id from price_packages p
    where organisation = ${organisationKey(partner)} and exists (
      select from sales_units s where s.organisation = p.organisation and s.price_package_id = p.key
        and s.removed_at is null)`.execute(db)
  return rows.map(({ id }) => id)
}
