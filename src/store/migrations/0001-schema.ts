import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createFoldCase } from '../fold-case.ts'
import { requireTrigrams } from '../requirements.ts'

type Db = Kysely<unknown>

/** Users, their grants and their sessions. */
async function users(db: Db): Promise<void> {
  await sql`
    create table users (
      id uuid primary key,
      issuer text not null,
      subject text not null,
      name text,
      email text,
      verified_email text,
      verified_email_at timestamptz,
      first_signed_in_at timestamptz not null default now(),
      last_signed_in_at timestamptz not null default now(),
      unique (issuer, subject)
    )`.execute(db)
  // No foreign key to users: the operator may give a grant before the first sign-in.
  await sql`
    create table grants (
      user_id uuid not null,
      organisation text not null,
      role text not null default 'viewer' check (role in ('viewer', 'developer')),
      ends_at timestamptz,
      granted_at timestamptz not null default now(),
      granted_by text,
      reason text,
      primary key (user_id, organisation)
    )`.execute(db)
  await sql`
    create table sessions (
      id text primary key,
      user_id uuid not null references users on delete cascade,
      signed_in_at timestamptz not null,
      last_used_at timestamptz not null,
      ends_at timestamptz not null,
      device jsonb,
      address text,
      eid_session_id text,
      encrypted_id_token text,
      data jsonb not null
    )`.execute(db)
  await sql`create index sessions_user on sessions (user_id)`.execute(db)
  await sql`create index sessions_ends_at on sessions (ends_at)`.execute(db)
  await sql`create index sessions_eid_session on sessions (eid_session_id)`.execute(db)
  await sql`create table logout_tokens (id text primary key, forget_at timestamptz not null)`.execute(db)
}

/** At most one code per user, as a MAC; mails of the last hour are counted, and store mailbox and domain as MACs only. */
async function emailVerification(db: Db): Promise<void> {
  await sql`
    create table email_codes (
      user_id uuid primary key references users on delete cascade,
      email text not null,
      code_mac text not null,
      tries int not null default 0,
      sent_at timestamptz not null default now()
    )`.execute(db)
  await sql`
    create table code_mails (
      id bigint generated always as identity primary key,
      user_id uuid not null references users on delete cascade,
      mailbox_mac text not null,
      domain_mac text not null,
      own boolean not null,
      at timestamptz not null default now()
    )`.execute(db)
  await sql`create index code_mails_user on code_mails (user_id, at)`.execute(db)
  await sql`create index code_mails_mailbox on code_mails (mailbox_mac, at)`.execute(db)
  await sql`create index code_mails_at on code_mails (at)`.execute(db)
}

/** The table of rate-limiter-flexible. Unlogged: after a crash of the server it starts empty. */
async function rateLimits(db: Db): Promise<void> {
  await sql`
    create unlogged table rate_limits (
      key varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    )`.execute(db)
  await sql`create index rate_limits_expire on rate_limits (expire)`.execute(db)
}

/** Append-only; the retention job sets `portal.audit_retention` in its transaction to delete rows. */
async function audit(db: Db): Promise<void> {
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

/** The merchant of a sales unit or product order, as far as known. */
const merchantColumns = sql`
  merchant_name text,
  merchant_sort_key text collate "C",
  market text generated always as (nullif(split_part(scheme, ':', 2), '')) stored`

/** Text for searching: NFC in lower case. `matches` in searching.ts folds what users type with the same function. */
function searchText(text: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`search_text text generated always as (fold_case(${text})) stored`
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
      sort_key text collate "C" not null,
      msn_number bigint generated always as (case when key ~ '^[0-9]{1,18}$' then key::bigint end) stored,
      capture_type text generated always as (left(details #>> '{configuration,captureType}', 100)) stored,
      capabilities text[] generated always as (array_remove(array[${sql.join(switchedOn)}], null)) stored,
      ${searchText(sql`name || E'\n' || key || E'\n' || coalesce(merchant_name, '')
        || E'\n' || coalesce(scheme || ':' || business_id, '')`)},
      ${merchantColumns},
      ${recordColumns}
    )`.execute(db)
  await sql`
    create table merchants (
      name text not null,
      sort_key text collate "C",
      ${searchText(sql`name || E'\n' || replace(key, '/', ':')`)},
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
      rank smallint generated always as (case status
        when 'ORDER_SUBMITTED' then 1 when 'MERCHANT_VIEWED' then 2 when 'RECEIVED' then 3
        when 'COMPLETED' then 4 when 'REJECTED' then 5 when 'EXPIRED' then 7 else 6 end) stored,
      ${searchText(sql`key || E'\n' || coalesce(scheme || ':' || business_id, '') || E'\n' || coalesce(merchant_name, '')
        || E'\n' || coalesce(msn, '') || E'\n' || coalesce(sales_unit_name, '')`)},
      ${merchantColumns},
      ${recordColumns}
    )`.execute(db)
  await sql`create table price_packages (sort_key text collate "C" not null, ${recordColumns})`.execute(db)
  await sql`create table templates (sort_key text collate "C" not null, ${recordColumns})`.execute(db)
  await sql`
    create table webhooks (
      msn text collate "C" not null,
      url text not null,
      id text not null,
      ${searchText(sql`url || E'\n' || id`)},
      ${recordColumns}
    )`.execute(db)
}

/** Sort indexes include the filtered columns, so that an ordered scan need not visit the table. */
async function indexes(db: Db): Promise<void> {
  const trigrams = sql`${sql.ref(await requireTrigrams(db))}.gin_trgm_ops`
  for (const table of ['sales_units', 'merchants', 'product_orders', 'webhooks'])
    await sql`
      create index ${sql.ref(`${table}_search`)} on ${sql.table(table)} using gin (search_text ${trigrams})
      where removed_at is null`.execute(db)
  const filters = sql`market, capture_type, capabilities`
  for (const statement of [
    sql`sales_units_order on sales_units (organisation, sort_key, key)
      include (search_text, ${filters}) where removed_at is null`,
    sql`sales_units_msn on sales_units (organisation, msn_number, key)
      include (${filters}) where removed_at is null`,
    sql`sales_units_merchant_name on sales_units (organisation, merchant_sort_key, key)
      include (${filters}) where removed_at is null`,
    sql`sales_units_merchant_name_backwards on sales_units (organisation, merchant_sort_key desc nulls last, key desc)
      include (${filters}) where removed_at is null`,
    sql`sales_units_seen on sales_units (organisation, first_seen_at, key)
      include (${filters}) where removed_at is null`,
    sql`sales_units_removed on sales_units (organisation, removed_at)
      include (first_seen_at, market) where removed_at is not null`,
    sql`sales_units_merchant on sales_units (organisation, scheme, business_id)`,
    sql`merchants_order on merchants (organisation, sort_key, key)
      include (search_text) where removed_at is null`,
    sql`product_orders_order on product_orders (organisation, rank, changed_at desc, key)
      where removed_at is null`,
    sql`product_orders_seen on product_orders (organisation, first_seen_at, key)
      include (status, product_order_type) where removed_at is null`,
    sql`product_orders_merchant on product_orders (organisation, scheme, business_id)`,
    sql`webhooks_msn on webhooks (organisation, msn, url, key)`,
    sql`webhooks_url on webhooks (organisation, url, key) where removed_at is null`,
    sql`webhooks_removed on webhooks (organisation, removed_at) where removed_at is not null`,
  ])
    await sql`create index ${statement}`.execute(db)
}

/**
 * Append-only: the API has no history, so this is the only one. The retention job and the removal of an organisation set
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
      fields jsonb not null
    )`.execute(db)
  await sql`create index changes_key on changes (organisation, resource, key, id)`.execute(db)
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

/** Facts about the whole installation, such as how it derives user IDs. */
async function installation(db: Db): Promise<void> {
  await sql`create table installation (name text primary key, value text not null)`.execute(db)
}

/**
 * `sync_state` stores for every list (`key` is empty) and record when it was read and when it is due.
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

/** The initial schema; nothing was released before it. */
export const schema: Migration = {
  up: async (db: Db) => {
    await users(db)
    await emailVerification(db)
    await rateLimits(db)
    await audit(db)
    await createFoldCase(db)
    await records(db)
    await indexes(db)
    await changes(db)
    await sync(db)
    await installation(db)
  },
}
