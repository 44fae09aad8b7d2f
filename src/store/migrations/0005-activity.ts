import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

type Db = Kysely<unknown>

/**
 * What the page of all changes filters, groups and sorts by. `alike` is a hash, because it only tells the changes of one
 * moment apart. New columns of older changes are computed from what they have: their transaction is their moment.
 */
async function groups(db: Db): Promise<void> {
  await sql`
    alter table changes
      add column moment timestamptz(3) not null default now(),
      add column alike integer not null default 0,
      add column status text not null default '',
      add column for_viewers boolean not null default false`.execute(db)
  await sql`alter table changes disable trigger changes_are_append_only`.execute(db)
  await sql`
    update changes set moment = at,
      status = case when fields #>> '{status,1}' = any(${orderStatuses}) and resource = 'productOrder'
        and kind = 'changed' then fields #>> '{status,1}' else '' end,
      for_viewers = resource <> 'webhook' and (kind <> 'changed' or fields ?| ${membersForViewers}::text[]
        or exists (select from jsonb_object_keys(fields) path where path ~ ${nestedForViewers}))`.execute(db)
  await sql`
    update changes set alike = hashtext(concat_ws('|', resource, kind, status, case when kind = 'changed' then
      (select string_agg(path, '|' order by path collate "C") from jsonb_object_keys(fields) path) end))`.execute(db)
  await sql`alter table changes enable trigger changes_are_append_only`.execute(db)
}

const orderStatuses = ['RECEIVED', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED', 'COMPLETED', 'REJECTED', 'EXPIRED']

/** The members that a viewer saw in the history when this migration was written, and those that were added to them. */
const membersForViewers = [
  'msn',
  'name',
  'productOrderId',
  'productOrderType',
  'productType',
  'status',
  'productOrderUrl',
  'salesUnit',
  'createdAt',
  'updatedAt',
  'countryCode',
  'description',
  'visibleInSignupForm',
  'market',
  'commission',
  'url',
  'pricePackageId',
  'lockedFields',
  'businessAddress',
  'businessPostAddress',
]
const nestedForViewers = [
  String.raw`^businessIdentifier(\.(scheme|id))?$`,
  String.raw`^salesUnit\.(msn|name)$`,
  String.raw`^business(Post)?Address\.(lines|postCode|city|countryCode)$`,
  String.raw`^configuration\.(captureType|paymentAllowed|recurringAllowed|partialCaptureAllowed|lateCaptureAllowed)$`,
  String.raw`^configuration\.(longLivingPaymentAllowed|creditCardPaymentAllowed|skipLandingPageAllowed)$`,
  String.raw`^configuration\.landingPagePhoneNumberLocked$`,
].join('|')

/** One for each way to find changes: by kind, by the record, and simply in order. */
async function indexes(db: Db): Promise<void> {
  await sql`drop index changes_key`.execute(db)
  for (const statement of [
    sql`changes_kind on changes (organisation, resource, kind, status, moment, alike, id) include (for_viewers)`,
    sql`changes_key on changes (organisation, resource, key, moment, alike, id) include (kind, status, for_viewers)`,
    sql`changes_moment on changes (organisation, moment, alike, id)`,
  ])
    await sql`create index ${statement}`.execute(db)
}

/** When each user last viewed pages of an organisation, and the end of the visit before. */
async function visits(db: Db): Promise<void> {
  await sql`
    create table visits (
      user_id uuid not null,
      organisation text not null,
      seen_at timestamptz not null default now(),
      last_visit_at timestamptz,
      primary key (user_id, organisation)
    )`.execute(db)
}

/** Activity, and "since your last visit". */
export const activity: Migration = {
  up: async (db: Db) => {
    await groups(db)
    await indexes(db)
    await visits(db)
  },
}
