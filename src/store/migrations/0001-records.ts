import { type Kysely, type RawBuilder, sql } from 'kysely'
import { createFolding, searchTextOf, sortKey, sortKeyNb } from '../folding.ts'
import { requireTrigrams } from '../requirements.ts'

type Db = Kysely<unknown>

/** The records of the API, what is derived from them, and their indexes. */
export async function createRecords(db: Db): Promise<void> {
  await createFolding(db)
  await records(db)
  await orderSteps(db)
  await merchantSummaries(db)
  await pricePackageAssignments(db)
  await indexes(db)
}

/**
 * The columns of every table of records. `listed` and `details` are the complete data of list and details call; the
 * other columns are derived from both, for filters and sorting.
 */
const recordColumns = sql`
  organisation text not null,
  key text collate "C" not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  changed_at timestamptz not null,
  removed_at timestamptz,
  removed_by text check (removed_by in ('list', 'details')),
  listed_digest text,
  listed jsonb,
  details jsonb,
  primary key (organisation, key)`

/** The most characters in an index over sorted rows, which takes 2,700 bytes a row. */
const longest = 450

const [recordName, merchantName] = [sql.ref('name'), sql.ref('merchant_name')]

/** The merchant of a sales unit or product order, as far as known. */
const merchantColumns = sql`
  merchant_name text,
  ${keysOf('merchant_sort_key', merchantName)},
  market text generated always as (nullif(split_part(scheme, ':', 2), '')) stored`

/** A generated column with the search text. */
function searchColumn(text: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`search_text text generated always as (${text}) stored`
}

/** Generated columns with the sort keys of a text, in both orders of letters. */
function keysOf(column: string, text: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`${sql.ref(column)} text collate "C" generated always as (${sortKey(text)}) stored,
    ${sql.ref(`${column}_nb`)} text collate "C" generated always as (${sortKeyNb(text)}) stored`
}

const capabilities = [
  'paymentAllowed',
  'skipLandingPageAllowed',
  'recurringAllowed',
  'partialCaptureAllowed',
  'lateCaptureAllowed',
  'landingPagePhoneNumberLocked',
  'longLivingPaymentAllowed',
  'creditCardPaymentAllowed',
]

/** Sales units, merchants, product orders, price packages, templates and webhooks, as the API last showed them. */
async function records(db: Db): Promise<void> {
  const switchedOn = capabilities.map(
    (name) => sql`case when details #>> ${sql.lit(`{configuration,${name}}`)} = 'true' then ${sql.lit(name)}::text end`,
  )
  await sql`
    create table sales_units (
      name text not null,
      scheme text,
      business_id text,
      ${keysOf('sort_key', recordName)},
      msn_number bigint generated always as (case when key ~ '^[0-9]{1,18}$' then key::bigint end) stored,
      capture_type text generated always as (left(details #>> '{configuration,captureType}', 100)) stored,
      capabilities text[] generated always as (array_remove(array[${sql.join(switchedOn)}], null)) stored,
      api_price_package_id text,
      price_package_id text,
      price_package_source text check (price_package_source in ('api', 'file')),
      price_package_since timestamptz,
      ${searchColumn(sql`left(${searchTextOf([recordName, sql`key`, merchantName, sql`business_id`])}, ${sql.lit(longest)})`)},
      ${merchantColumns},
      ${recordColumns}
    )`.execute(db)
  await sql`
    create table merchants (
      name text not null,
      ${searchColumn(sql`left(${searchTextOf([recordName, sql`split_part(key, '/', 2)`])}, ${sql.lit(longest)})`)},
      ${recordColumns}
    )`.execute(db)
  await sql`
    create table product_orders (
      status text not null,
      product_order_type text,
      product_type text,
      scheme text,
      business_id text,
      msn text,
      sales_unit_name text,
      ${keysOf('sales_unit_sort_key', sql.ref('sales_unit_name'))},
      price_package_id text,
      viewed_at timestamptz,
      submitted_at timestamptz,
      completed_at timestamptz,
      rejected_at timestamptz,
      expired_at timestamptz,
      expires_at timestamptz,
      rank smallint not null generated always as (case
        when status = 'MERCHANT_VIEWED' or (status = 'RECEIVED' and product_order_type = 'PREFILL') then 1
        when status = 'RECEIVED' then 2 when status = 'ORDER_SUBMITTED' then 3 when status = 'COMPLETED' then 4
        when status = 'REJECTED' then 5 when status = 'EXPIRED' then 7 else 6 end) stored,
      reached smallint not null generated always as (case
        when completed_at is not null then 4 when submitted_at is not null or rejected_at is not null then 3
        when viewed_at is not null then 2 else 1 end) stored,
      ${searchColumn(searchTextOf([sql`key`, sql`business_id`, merchantName, sql`msn`, sql`sales_unit_name`]))},
      ${merchantColumns},
      ${recordColumns}
    )`.execute(db)
  // Pages sort these in memory.
  await sql`create table price_packages (${recordColumns})`.execute(db)
  await sql`create table templates (${recordColumns})`.execute(db)
  await sql`
    create table webhooks (
      msn text collate "C" not null,
      url text not null,
      id text not null,
      ${searchColumn(searchTextOf([sql`url`, sql`id`]))},
      ${recordColumns}
    )`.execute(db)
}

/**
 * Keeps when the sync saw each status of an order first, and when its link expires, in the transaction that writes the
 * row. 336 hours: the link lives 14 days, also when the clocks change meanwhile.
 */
async function orderSteps(db: Db): Promise<void> {
  await sql`
    create function product_order_steps() returns trigger language plpgsql as $$
    begin
      new.expires_at := case when new.product_order_type = 'PREFILL' and new.status in ('RECEIVED', 'MERCHANT_VIEWED')
        then new.first_seen_at + interval '336 hours' end;
      if tg_op = 'UPDATE' and old.status = new.status then
        return new;
      end if;
      case new.status
        when 'MERCHANT_VIEWED' then new.viewed_at := coalesce(new.viewed_at, new.changed_at);
        when 'ORDER_SUBMITTED' then new.submitted_at := coalesce(new.submitted_at, new.changed_at);
        when 'COMPLETED' then new.completed_at := coalesce(new.completed_at, new.changed_at);
        when 'REJECTED' then new.rejected_at := coalesce(new.rejected_at, new.changed_at);
        when 'EXPIRED' then new.expired_at := coalesce(new.expired_at, new.changed_at);
        else null;
      end case;
      return new;
    end $$`.execute(db)
  await sql`
    create trigger product_order_steps before insert or update on product_orders
    for each row execute function product_order_steps()`.execute(db)
}

/** A row for every merchant that ever had a sales unit or an order; the sync writes it with the records it counts. */
async function merchantSummaries(db: Db): Promise<void> {
  await sql`
    create table merchant_summaries (
      organisation text not null,
      key text collate "C" not null,
      scheme text not null,
      business_id text not null,
      ${searchColumn(searchTextOf([merchantName, sql`business_id`]))},
      ${merchantColumns},
      sales_units int not null,
      orders int not null,
      open_orders int not null,
      changed_at timestamptz not null,
      primary key (organisation, key)
    )`.execute(db)
}

/** The operator's file, whose rows say which price package a sales unit has where the API does not. */
async function pricePackageAssignments(db: Db): Promise<void> {
  await sql`
    create table price_package_assignments (
      organisation text not null,
      msn text collate "C" not null,
      valid_from date not null,
      price_package_id text not null,
      is_pending boolean not null,
      primary key (organisation, msn, valid_from)
    )`.execute(db)
  await sql`
    create index price_package_assignments_pending on price_package_assignments (organisation, valid_from)
    where is_pending`.execute(db)
}

/** Sort indexes include the filtered columns, so that an ordered scan need not visit the table. */
async function indexes(db: Db): Promise<void> {
  const trigrams = sql`${sql.ref(await requireTrigrams(db))}.gin_trgm_ops`
  const filters = sql`market, capture_type, capabilities`
  const isCurrent = sql`where removed_at is null`
  const isListed = sql`where sales_units + orders > 0`
  // What is in the store for its details alone, or removed for them alone.
  const isUnlisted = sql`where removed_by = 'details' or (listed is null and removed_at is null)`
  for (const index of [
    sql`sales_units_search on sales_units using gin (search_text ${trigrams}) ${isCurrent}`,
    sql`sales_units_msn on sales_units (organisation, msn_number, key) include (${filters}) ${isCurrent}`,
    sql`sales_units_seen on sales_units (organisation, first_seen_at, key) include (${filters}) ${isCurrent}`,
    sql`sales_units_removed on sales_units (organisation, removed_at)
      include (first_seen_at, market) where removed_at is not null`,
    sql`sales_units_merchant on sales_units (organisation, scheme, business_id)`,
    sql`sales_units_price_package on sales_units (organisation, price_package_id, key)
      where removed_at is null and price_package_id is not null`,
    sql`sales_units_unlisted on sales_units (organisation) ${isUnlisted}`,
    sql`merchants_search on merchants using gin (search_text ${trigrams}) ${isCurrent}`,
    sql`product_orders_search on product_orders using gin (search_text ${trigrams}) ${isCurrent}`,
    sql`product_orders_order on product_orders (organisation, rank, expires_at, changed_at desc, key) ${isCurrent}`,
    sql`product_orders_changed on product_orders (organisation, changed_at, key) ${isCurrent}`,
    sql`product_orders_seen on product_orders (organisation, first_seen_at, key)
      include (status, product_order_type) ${isCurrent}`,
    sql`product_orders_merchant on product_orders (organisation, scheme, business_id)`,
    sql`product_orders_msn on product_orders (organisation, msn) where msn is not null`,
    sql`product_orders_unlisted on product_orders (organisation) ${isUnlisted}`,
    sql`webhooks_search on webhooks using gin (search_text ${trigrams}) ${isCurrent}`,
    sql`webhooks_msn on webhooks (organisation, msn, url, key)`,
    sql`webhooks_url on webhooks (organisation, url, key) ${isCurrent}`,
    sql`webhooks_removed on webhooks (organisation, removed_at) where removed_at is not null`,
    sql`merchant_summaries_search on merchant_summaries using gin (search_text ${trigrams}) ${isListed}`,
    sql`merchant_summaries_id on merchant_summaries (organisation, business_id)`,
    ...['sales_units', 'open_orders', 'changed_at'].map(
      (column) => sql`${sql.ref(`merchant_summaries_${column}`)} on merchant_summaries
        (organisation, ${sql.ref(column)}, key) ${isListed}`,
    ),
    ...['', '_nb'].flatMap((suffix) => {
      const [key, merchantKey] = [sql.ref(`sort_key${suffix}`), sql.ref(`merchant_sort_key${suffix}`)]
      const named = (stem: string) => sql.ref(stem + suffix)
      return [
        sql`${named('sales_units_order')} on sales_units (organisation, ${key}, key)
          include (search_text, ${filters}) ${isCurrent}`,
        sql`${named('sales_units_merchant_name')} on sales_units (organisation, ${merchantKey}, key)
          include (${filters}) ${isCurrent}`,
        sql`${named('sales_units_merchant_name_backwards')}
          on sales_units (organisation, ${merchantKey} desc nulls last, key desc) include (${filters}) ${isCurrent}`,
        sql`${named('merchant_summaries_name')} on merchant_summaries (organisation, ${merchantKey}, key)
          include (search_text, market, sales_units, open_orders) ${isListed}`,
      ]
    }),
  ])
    await sql`create index ${index}`.execute(db)
}
