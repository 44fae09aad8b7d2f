import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { portalTimeZone } from '../domain/time-zone.ts'
import type { Handle } from './database.ts'
import { isListedMerchant } from './merchant-summaries.ts'
import type { RecordTable } from './records.ts'
import type { ListResource } from './sync-state.ts'
import { events } from './webhooks.ts'

/** The number of orders by value. */
export type Facet = readonly { readonly value: string; readonly count: number }[]

/** The number of orders by status; received orders are counted apart when they wait for their merchant. */
export type StatusFacet = readonly { readonly value: string; readonly waits: boolean; readonly count: number }[]

/** The number of orders by the month when they were first seen, such as `2026-11`, and their current status. */
export type OrdersOfMonth = readonly {
  readonly month: string
  readonly value: string
  readonly count: number
}[]

/** The stored counts of product orders. */
export type ProductOrderFacets = {
  readonly status: StatusFacet
  readonly type: Facet
  readonly product: Facet
  /** Without the orders of the first sync, whose age is unknown. */
  readonly months: OrdersOfMonth
  /** Of prefilled orders; undefined until they are counted. */
  readonly funnel?: Funnel
}

/** The number of sales units added and removed by month and market; market null: not known yet. */
export type SalesUnitFacets = {
  readonly growth: readonly {
    readonly month: string
    readonly market: string | null
    readonly come: number
    readonly gone: number
  }[]
  /** The number of merchants with a current sales unit or order. */
  readonly merchants: number
}

/** The events of the webhooks with the number that receives each, and how many have which owner. */
export type WebhookFacets = {
  readonly events: readonly { readonly event: string; readonly count: number }[]
  /** Registered for the organisation, and for single sales units. */
  readonly own: number
  readonly units: number
}

/**
 * SQL: when the first sync of these rows ended. Rows first seen until then are of unknown age and do not count as new.
 * An hour is longer than the longest list takes to read and write.
 */
export function endOfFirstSync(table: RecordTable | 'merchant_summaries', own: RawBuilder<unknown>): RawBuilder<Date> {
  const isThere = table === 'merchant_summaries' ? isListedMerchant : sql`removed_at is null`
  return sql<Date>`
    (select min(first_seen_at) + interval '1 hour' from ${sql.table(table)} where ${own} and ${isThere})`
}

/** Since when the organisation's records are read; undefined before the first ones are. */
export async function firstSeenAt(db: Handle, organisation: Organisation): Promise<Date | undefined> {
  const own = sql`organisation = ${organisationKey(organisation)} and removed_at is null`
  const { rows } = await sql<{ at: Date | null }>`
    select least((select min(first_seen_at) from sales_units where ${own}),
      (select min(first_seen_at) from price_packages where ${own})) as at`.execute(db)
  return rows[0]?.at ?? undefined
}

/** Up to so many sales units their growth is counted while details are read; above, only at the end. */
const fewRows = 5000

/**
 * Counts an organisation's rows for the pages that show the counts, in one statement. Slow for many rows: for the sync,
 * not for pages.
 * @param how.inPassing true during a run, when only the progress matters
 * @param how.again leaves out a list that was never read, which stays unknown rather than empty
 */
export async function summarise(
  db: Handle,
  organisation: Organisation,
  { resource, table }: { readonly resource: ListResource; readonly table: RecordTable },
  { inPassing = false, again = false }: { readonly inPassing?: boolean; readonly again?: boolean } = {},
): Promise<void> {
  const own = sql`organisation = ${organisationKey(organisation)}`
  // While a first list is written its total is known before its rows are there.
  const total = sql`case when s.checked_at is null then greatest(s.total, counted.total) else counted.total end`
  const isKnown = again ? sql`(s.checked_at is not null or s.total is not null)` : sql`true`
  await sql`
    update sync_state s set total = ${total}, done = ${doneOf(resource, own)}, facets = ${facetsOf(resource, own, inPassing)}
    from (select count(*)::int as total from ${sql.table(table)} where ${own} and removed_at is null) counted
    where s.${own} and s.resource = ${resource} and s.key = '' and ${isKnown}`.execute(db)
  // The count of merchants is kept with the sales units; orders have merchants of their own.
  if (resource === 'productOrders')
    await sql`
      update sync_state set facets = facets || ${merchantFacet(own)}
      where ${own} and resource = 'salesUnits' and key = ''`.execute(db)
}

/** The number of sales units whose details, and those of their merchants, have been read. */
function doneOf(resource: ListResource, own: RawBuilder<unknown>): RawBuilder<unknown> {
  if (resource !== 'salesUnits') return sql`null`
  return sql`greatest(0, counted.total - (
    select count(*)::int from sync_state
    where ${own} and checked_at is null and resource in ('salesUnit', 'merchant') and due_at < 'infinity'))`
}

function facetsOf(resource: ListResource, own: RawBuilder<unknown>, inPassing: boolean): RawBuilder<unknown> {
  if (resource === 'productOrders') return productOrderFacets(own)
  if (resource === 'webhooks') return webhookFacets(own)
  if (resource !== 'salesUnits') return sql`null`
  const growth = inPassing
    ? sql`case when counted.total > ${fewRows} then coalesce(s.facets, '{}') else ${salesUnitFacets(own)} end`
    : salesUnitFacets(own)
  return sql`${growth} || ${merchantFacet(own)}`
}

function merchantFacet(own: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`jsonb_build_object('merchants', (
    select count(*)::int from merchant_summaries where ${own} and ${isListedMerchant}))`
}

/** WebhookFacets, the events by name. */
function webhookFacets(own: RawBuilder<unknown>): RawBuilder<unknown> {
  const current = sql`webhooks where ${own} and removed_at is null`
  return sql`(
    select jsonb_build_object('own', count(*) filter (where msn = ''), 'units', count(*) filter (where msn <> ''),
      'events', (
        select coalesce(jsonb_agg(jsonb_build_object('event', event, 'count', count) order by event), '[]')
        from (select event, count(distinct key)::int as count
          from (select key, jsonb_array_elements_text(${events}) as event from ${current}) each group by event) counted))
    from ${current})`
}

/** ProductOrderFacets, each in display order. */
function productOrderFacets(own: RawBuilder<unknown>): RawBuilder<unknown> {
  const current = sql`product_orders where ${own} and removed_at is null`
  const facet = (column: string): RawBuilder<unknown> => sql`(
    select coalesce(jsonb_agg(jsonb_build_object('value', value, 'count', count) order by value), '[]')
    from (select ${sql.ref(column)} as value, count(*)::int as count
      from ${current} and ${sql.ref(column)} is not null group by 1) facet)`
  return sql`jsonb_build_object(
    'status', (
      select coalesce(jsonb_agg(to_jsonb(facet)), '[]') from (${statusFacet(sql`${own} and removed_at is null`)}) facet),
    'type', ${facet('product_order_type')},
    'product', ${facet('product_type')},
    'funnel', ${funnelOf(sql`${own} and removed_at is null and product_order_type = 'PREFILL'
      and first_seen_at > ${endOfFirstSync('product_orders', own)}`)},
    'months', (
      select coalesce(jsonb_agg(
        jsonb_build_object('month', month, 'value', status, 'count', count) order by month, position, status), '[]')
      from (
        select ${monthOf('first_seen_at')} as month, status, count(*)::int as count, min(rank) as position
        from ${current} and first_seen_at > ${endOfFirstSync('product_orders', own)}
        group by 1, 2) months))`
}

/** SQL: the rows of a StatusFacet, the most urgent first. */
export function statusFacet(where: RawBuilder<unknown>): RawBuilder<StatusFacet[number]> {
  return sql<StatusFacet[number]>`
    select status as value, rank = 1 as waits, count(*)::int as count from product_orders
    where ${where} group by rank, status order by rank, status`
}

/** How far orders have come: the number that reached each step, and the median days from the step before. */
export type Funnel = {
  /** Received, viewed, submitted and completed. */
  readonly reached: readonly number[]
  /** From received to viewed, and so on. Null where fewer than `fewestSteps` orders took the step while the sync watched. */
  readonly medianDays: readonly (number | null)[]
  /** The orders that are not completed. */
  readonly others: StatusFacet
  readonly since: string | null
}

/** Fewer durations than this have no meaningful median. */
const fewestSteps = 5

/** SQL: the Funnel of these orders. A step counts as watched when the step before was seen earlier. */
export function funnelOf(where: RawBuilder<unknown>): RawBuilder<Funnel> {
  const reached = (step: number): RawBuilder<unknown> => sql`count(*) filter (where reached >= ${sql.lit(step)})`
  const median = (to: string, from: string): RawBuilder<unknown> => {
    const [end, start] = [sql.ref(to), sql.ref(from)]
    return sql`case when count(*) filter (where ${end} > ${start}) >= ${sql.lit(fewestSteps)} then
      percentile_cont(0.5) within group (order by extract(epoch from ${end} - ${start}) / 86400)
        filter (where ${end} > ${start}) end`
  }
  return sql<Funnel>`(
    select jsonb_build_object(
      'reached', jsonb_build_array(count(*), ${reached(2)}, ${reached(3)}, ${reached(4)}),
      'medianDays', jsonb_build_array(${median('viewed_at', 'first_seen_at')}, ${median('submitted_at', 'viewed_at')},
        ${median('completed_at', 'submitted_at')}),
      'since', min(first_seen_at),
      'others', (select coalesce(jsonb_agg(to_jsonb(facet)), '[]')
        from (${statusFacet(sql`${where} and status <> 'COMPLETED'`)}) facet))
    from product_orders where ${where})`
}

/** SalesUnitFacets without its merchants. */
function salesUnitFacets(own: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`jsonb_build_object('growth', (
    select coalesce(jsonb_agg(
      jsonb_build_object('month', month, 'market', market, 'come', come, 'gone', gone) order by month, market), '[]')
    from (
      select month, market, sum(come)::int as come, sum(gone)::int as gone from (
        select ${monthOf('first_seen_at')} as month, market, count(*) as come, 0 as gone
        from sales_units where ${own} group by 1, 2
        union all
        select ${monthOf('removed_at')}, market, 0, count(*)
        from sales_units where ${own} and removed_at is not null group by 1, 2
      ) moves group by month, market) growth))`
}

function monthOf(column: string): RawBuilder<unknown> {
  return sql`to_char(date_trunc('month', ${sql.ref(column)} at time zone ${sql.lit(portalTimeZone)}), 'YYYY-MM')`
}
