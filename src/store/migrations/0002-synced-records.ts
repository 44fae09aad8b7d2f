import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * What every table of records has. `listed` and `details` are what the API said in the list and on its own, whole;
 * the columns beside them are derived from both, for filters and order.
 */
const common = sql`
  organisation text not null,
  key text collate "C" not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  changed_at timestamptz not null,
  gone_at timestamptz,
  gone_by text check (gone_by in ('list', 'details')),
  listed_digest text,
  listed jsonb,
  details jsonb,
  primary key (organisation, key)`

/** Where pg_trgm lives: an operator may have put it anywhere, and the search path need not lead there. */
export const trigramOperators = async (db: Kysely<unknown>): Promise<RawBuilder<unknown>> => {
  await sql`create extension if not exists pg_trgm with schema public`.execute(db)
  const { rows } = await sql<{ schema: string }>`
    select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_trgm'`.execute(db)
  return sql`${sql.ref(rows[0]?.schema ?? 'public')}.gin_trgm_ops`
}

/**
 * Sales units, merchants, product orders, price packages, templates and webhooks as the API last showed them. The
 * collation of texts to search is named because that of `key`, which is bytes, would else hold for all of it, and `Ø`
 * would stay a capital.
 */
const records = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table sales_units (
      name text not null,
      scheme text,
      business_id text,
      merchant_name text,
      sort_key text collate "C" not null,
      search_text text generated always as (lower(normalize(
        name || E'\n' || key || E'\n' || coalesce(merchant_name, '') || E'\n' || coalesce(scheme || ':' || business_id, '')
      ) collate "default")) stored,
      ${common}
    )`.execute(db)
  await sql`
    create table merchants (
      name text not null,
      ${common}
    )`.execute(db)
  await sql`
    create table product_orders (
      status text not null,
      product_order_type text,
      product_type text,
      scheme text not null,
      business_id text not null,
      merchant_name text,
      msn text,
      sales_unit_name text,
      rank smallint generated always as (case status
        when 'ORDER_SUBMITTED' then 1 when 'MERCHANT_VIEWED' then 2 when 'RECEIVED' then 3
        when 'COMPLETED' then 4 when 'REJECTED' then 5 when 'EXPIRED' then 7 else 6 end) stored,
      search_text text generated always as (lower(normalize(
        key || E'\n' || scheme || ':' || business_id || E'\n' || coalesce(merchant_name, '')
        || E'\n' || coalesce(msn, '') || E'\n' || coalesce(sales_unit_name, '')
      ) collate "default")) stored,
      ${common}
    )`.execute(db)
  await sql`create table price_packages (sort_key text collate "C" not null, ${common})`.execute(db)
  await sql`create table templates (sort_key text collate "C" not null, ${common})`.execute(db)
  await sql`
    create table webhooks (
      msn text collate "C" not null,
      url text not null,
      id text not null,
      search_text text generated always as (lower(normalize(url || E'\n' || id) collate "default")) stored,
      ${common}
    )`.execute(db)
}

const indexes = async (db: Kysely<unknown>): Promise<void> => {
  const trigrams = await trigramOperators(db)
  for (const table of ['sales_units', 'product_orders', 'webhooks']) {
    await sql`
      create index ${sql.ref(`${table}_search`)} on ${sql.table(table)} using gin (search_text ${trigrams})
      where gone_at is null`.execute(db)
  }
  await sql`
    create index sales_units_order on sales_units (organisation, sort_key, key) where gone_at is null`.execute(
    db,
  )
  await sql`create index sales_units_merchant on sales_units (organisation, scheme, business_id)`.execute(db)
  await sql`
    create index product_orders_order on product_orders (organisation, rank, changed_at desc, key)
    where gone_at is null`.execute(db)
  await sql`create index product_orders_merchant on product_orders (organisation, scheme, business_id)`.execute(
    db,
  )
  await sql`create index webhooks_msn on webhooks (organisation, msn, url, key)`.execute(db)
}

/** Append only: the API tells no history, so this is the only one there is. */
const changes = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table changes (
      id bigint generated always as identity primary key,
      organisation text not null,
      at timestamptz not null,
      resource text not null,
      key text collate "C" not null,
      kind text not null check (kind in ('appeared', 'changed', 'gone', 'returned')),
      fields jsonb not null
    )`.execute(db)
  await sql`create index changes_key on changes (organisation, resource, key, id)`.execute(db)
  await sql`
    create function changes_are_kept() returns trigger language plpgsql as $$
    begin
      raise exception 'the history of changes is append-only';
    end $$`.execute(db)
  await sql`
    create trigger changes_are_kept before update or delete on changes
    for each row execute function changes_are_kept()`.execute(db)
}

/** What has been read when, what is due, how fast the API may be asked, and who is looking. */
const reading = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table readings (
      organisation text not null,
      resource text not null,
      key text collate "C" not null default '',
      due_at timestamptz not null default 'epoch',
      wanted_at timestamptz,
      checked_at timestamptz,
      failing_since timestamptz,
      failures integer not null default 0,
      failure text check (failure in ('unavailable', 'refused')),
      doubted_at timestamptz,
      available boolean not null default true,
      skipped integer not null default 0,
      total integer,
      done integer,
      facets jsonb,
      primary key (organisation, resource, key)
    )`.execute(db)
  await sql`create index readings_due on readings (organisation, resource, due_at, key)`.execute(db)
  await sql`
    create index readings_unread on readings (organisation, resource) where checked_at is null`.execute(db)
  await sql`
    create index readings_wanted on readings (organisation, wanted_at) where wanted_at is not null`.execute(
    db,
  )
  await sql`
    create table activity (
      organisation text primary key,
      since timestamptz not null,
      active_at timestamptz not null
    )`.execute(db)
  await sql`
    create table api_pace (
      organisation text primary key,
      next_at timestamptz not null default now(),
      slow_rate real,
      slowed_at timestamptz,
      held_until timestamptz,
      trips integer not null default 0,
      in_flight jsonb not null default '{}'
    )`.execute(db)
}

export const syncedRecords: Migration = {
  up: async (db: Kysely<unknown>) => {
    await records(db)
    await indexes(db)
    await changes(db)
    await reading(db)
  },
}
