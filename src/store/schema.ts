import type { ColumnType, Generated } from 'kysely'
import type { ChannelKind, DigestPeriod, NoticeEvent } from '../domain/notices.ts'
import type { Role } from '../domain/role.ts'

/** Written once, by the database's clock. */
type WrittenOnce = ColumnType<Date, never, never>

/** A user who has signed in; `id` is the portal's own, derived from issuer and subject. */
export type UsersTable = {
  id: string
  issuer: string
  subject: string
  name: string | null
  /** As the eID sends it. */
  email: string | null
  /** As emailAddress() gives it; both are null until the first address is verified. */
  verified_email: string | null
  verified_email_at: Date | null
  first_signed_in_at: WrittenOnce
  last_signed_in_at: Generated<Date>
}

/** The one valid code of a user; `code_mac` is from auth/email-codes.ts, never the code. */
export type EmailCodesTable = {
  user_id: string
  email: string
  code_mac: string
  tries: Generated<number>
  sent_at: Generated<Date>
}

/** Sent mails with codes, kept for the window of the limits. */
export type CodeMailsTable = {
  id: ColumnType<string, never, never>
  user_id: string
  mailbox_mac: string
  domain_mac: string
  /** The user's eID names the mailbox. */
  own: boolean
  at: WrittenOnce
}

/** The operator's record that a user may act as an organisation; `organisation` is its organisationKey(). */
export type GrantsTable = {
  user_id: string
  organisation: string
  granted_at: Generated<Date>
  role: Generated<Role>
  /** The first moment at which the grant is no longer in force. */
  ends_at: Date | null
  granted_by: string | null
  reason: string | null
}

/** Append-only; only audit.ts writes it. */
export type AuditTable = {
  id: ColumnType<string, never, never>
  at: ColumnType<Date, Date | undefined, never>
  event: string
  user_id: string | null
  organisation: string | null
  address: string | null
  details: unknown
}

/** A signed-in browser's session. Times are by the portal's clock. */
export type SessionsTable = {
  /** Digest of the id in the cookie. */
  id: string
  user_id: string
  signed_in_at: Date
  last_used_at: Date
  /** The end if the session is not used meanwhile. */
  ends_at: Date
  device: { readonly browser: string | null; readonly system: string | null } | null
  /** As truncatedAddress() gives it. */
  address: string | null
  /** `sid` of the ID token. */
  eid_session_id: string | null
  encrypted_id_token: string | null
  /** Other members of the express-session: the CSRF token. */
  data: Readonly<Record<string, unknown>>
}

/** Logout tokens that have been used, until they expire for good. */
export type LogoutTokensTable = { id: string; forget_at: Date }

/**
 * The columns of every table of records. `key` identifies the record in its organisation: an MSN, an id, `scheme/id` of
 * a merchant, `msn/id` of a webhook (`/id` for the organisation's own).
 */
type RecordColumns = {
  organisation: string
  key: string
  first_seen_at: Date
  /** As of the row's last write; a row that is not removed was in every list that was read since. */
  last_seen_at: Date
  changed_at: Date
  removed_at: Date | null
  /** The source of the removal: a list without it, or 404 on its details. */
  removed_by: 'list' | 'details' | null
  /** Digest of the list's item, to detect changes quickly. */
  listed_digest: string | null
  /** The list's item and the details, complete, as the API sent them. */
  listed: unknown
  details: unknown
}

/** Computed by the database. */
type Computed<Value> = ColumnType<Value, never, never>

/** The text that searches look in; see searchText() in domain/search-terms.ts. */
type Searchable = { search_text: Computed<string> }

/** Keys in the orders of names, see store/folding.ts: in Swedish, Finnish and English; in Norwegian and Danish. */
type Sortable = { sort_key: Computed<string>; sort_key_nb: Computed<string> }

/** A merchant's business identifier and name, as far as known. */
type MerchantColumns<Identifier> = {
  scheme: Identifier
  business_id: Identifier
  merchant_name: string | null
  merchant_sort_key: Computed<string | null>
  merchant_sort_key_nb: Computed<string | null>
  /** The scheme's country, such as NO. */
  market: Computed<string | null>
}

export type SalesUnitsTable = RecordColumns &
  Searchable &
  Sortable &
  MerchantColumns<string | null> & {
    name: string
    /** The MSN by value, for sorting; text, because it may exceed an integer. */
    msn_number: Computed<string | null>
    capture_type: Computed<string | null>
    /** The switches of the configuration that are on. */
    capabilities: Computed<string[]>
    /** The price package that the API says of the sales unit itself. */
    api_price_package_id: string | null
    /** The known price package, who says so, and since when; only price-package-assignments.ts writes these. */
    price_package_id: string | null
    price_package_source: 'api' | 'file' | null
    price_package_since: Date | null
  }

export type ProductOrdersTable = RecordColumns &
  Searchable &
  MerchantColumns<string | null> & {
    status: string
    product_order_type: string | null
    product_type: string | null
    msn: string | null
    sales_unit_name: string | null
    /** The price package that the API says of the order. */
    price_package_id: string | null
    sales_unit_sort_key: Computed<string | null>
    sales_unit_sort_key_nb: Computed<string | null>
    /** The order of `urgency`: 1 waits for its merchant, 2 and 3 for processing, the others are over or unknown. */
    rank: Computed<number>
    /** When the sync first saw each status; `first_seen_at` for the status that the order had then. By a trigger. */
    viewed_at: Computed<Date | null>
    submitted_at: Computed<Date | null>
    completed_at: Computed<Date | null>
    rejected_at: Computed<Date | null>
    expired_at: Computed<Date | null>
    /** The latest end of the link of a prefilled order that waits for its merchant. By the same trigger. */
    expires_at: Computed<Date | null>
    /** How far it has come: 1 received, 2 viewed, 3 submitted (rejected ones, too), 4 completed. */
    reached: Computed<number>
  }

/**
 * A merchant that ever had a sales unit or an order, for the list of merchants; written in the transaction that writes
 * what it counts. One without current records stays, with counts of 0, and is not listed.
 */
export type MerchantSummariesTable = Searchable &
  MerchantColumns<string> & {
    organisation: string
    /** merchantKey() of scheme and business_id. */
    key: string
    /** The number of current sales units and orders, and of the orders without a final status. */
    sales_units: number
    orders: number
    open_orders: number
    /** The first sight of the merchant, its sales units or its orders. */
    first_seen_at: Date
    /** The newest change of them, also of removed ones; the first read of the merchant's details is none. */
    changed_at: Date
  }

/** A row of the operator's file: the price package of a sales unit from a day on. */
export type PricePackageAssignmentsTable = {
  organisation: string
  msn: string
  valid_from: string
  price_package_id: string
  /** It has not begun, or is not applied to the sales unit yet. */
  is_pending: boolean
}

/** `msn` is empty for the organisation's own registrations. */
export type WebhooksTable = RecordColumns &
  Searchable & {
    msn: string
    url: string
    id: string
    /** 1 without a URL that begins with https, 2 without events, 3 without a problem. */
    problem_rank: Computed<number>
  }

/** Written in the transaction that writes the row; the database refuses updates, and deletes other than retention's. */
export type ChangesTable = {
  id: ColumnType<string, never, never>
  organisation: string
  at: Date
  resource: string
  key: string
  kind: 'added' | 'changed' | 'removed' | 'returned'
  fields: unknown
  /** The beginning of the writes that found it, which share it: those of one read of a list, or of details in a row. */
  moment: Generated<Date>
  /** A hash of resource, kind, status and changed fields. Changes of one moment with the same hash are a group. */
  alike: Generated<number>
  /** The known status that the change gave to a product order, else ''. */
  status: Generated<string>
  /** Whether a viewer may see any of it. */
  for_viewers: Generated<boolean>
}

/** When a user last viewed a page of an organisation; a visit ends when that was half an hour ago. */
export type VisitsTable = {
  user_id: string
  organisation: string
  seen_at: Generated<Date>
  /** The end of the visit before the current one. */
  last_visit_at: Date | null
  /** The number of visits, the current one among them. */
  visits: Generated<number>
}

/** When each list and record was read, and when it is due; lists have an empty `key`. */
export type SyncStateTable = {
  organisation: string
  resource: string
  key: Generated<string>
  /** 1970 for a record that was never read, infinity (a number) for one that is not refreshed by itself. */
  due_at: Generated<Date | number>
  /** Since when a user has been waiting for it. */
  requested_at: Date | null
  /** A user asked for a key that no list has; it is read after the lists. */
  unlisted: Generated<boolean>
  checked_at: Date | null
  failing_since: Date | null
  failures: Generated<number>
  failure: 'unavailable' | 'refused' | 'limited' | null
  /** What the API said about the failure, redacted. */
  failure_said: string | null
  suspect_since: Date | null
  available: Generated<boolean>
  /** The last read of a record was answered 404. */
  absent: Generated<boolean>
  /** A digest of the last answer of a list, when the store has all of it. */
  answer_digest: string | null
  skipped: Generated<number>
  total: number | null
  done: number | null
  facets: unknown
}

/** When an organisation is due, and which instance holds its lease; only leases.ts reads and writes it. */
export type OrganisationSyncTable = {
  organisation: string
  lists_due_at: Generated<Date | number>
  details_due_at: Generated<Date | number>
  requested_at: Date | null
  leased_by: string | null
  leased_until: Date | null
  /** The beginning of the current activity of its users, and their last page view. */
  active_since: Date | null
  active_at: Date | null
}

/** What a user wants to be told about an organisation, in the language of the page on which they saved it. */
export type NoticeSettingsTable = {
  user_id: string
  organisation: string
  language: string
  /** The events of which the user is told at once. */
  events: NoticeEvent[]
  digest: DigestPeriod | null
  digest_due_at: Date | null
  /** The last digest told of changes up to this id, and of orders that expire up to this time. */
  digest_change: string
  digest_from: Date
}

/** A channel of a team, which the operator sets. */
export type NoticeChannelsTable = {
  id: Generated<string>
  organisation: string
  kind: ChannelKind
  /** A secret: a person who knows it can post to the channel. */
  url: string
  /** Signs what is posted to a `webhook`: `whsec_` and base64. */
  secret: string | null
  language: string
  events: NoticeEvent[]
  added_by: string
  added_at: WrittenOnce
}

/** How far the events of an organisation have been queued: changes up to this id, expiring orders up to this time. */
export type NoticeMarksTable = { organisation: string; change: string; at: Date }

/**
 * The queue of notices, each for a user or a channel: of the changes in (after_change, until_change], and of the orders
 * that came close to their expiry in (after_at, until_at]. Rows stay for a while after they were sent or given up.
 */
export type NoticesTable = {
  id: ColumnType<string, never, never>
  organisation: string
  user_id: string | null
  channel_id: string | null
  kind: DigestPeriod | 'events'
  after_change: string
  until_change: string
  after_at: Date
  until_at: Date
  due_at: Date
  /** An instance is sending it; after this time, another one may. */
  claimed_until: Date | null
  tries: Generated<number>
  sent_at: Date | null
  failed_at: Date | null
}

/** Facts about the whole installation; only user-id-derivation.ts reads and writes it. */
export type InstallationTable = { name: string; value: string }

/** Every table, as of the newest migration. */
export type Schema = {
  users: UsersTable
  grants: GrantsTable
  sessions: SessionsTable
  logout_tokens: LogoutTokensTable
  audit: AuditTable
  email_codes: EmailCodesTable
  code_mails: CodeMailsTable
  sales_units: SalesUnitsTable
  merchants: RecordColumns & Searchable & { name: string }
  merchant_summaries: MerchantSummariesTable
  product_orders: ProductOrdersTable
  price_packages: RecordColumns
  price_package_assignments: PricePackageAssignmentsTable
  templates: RecordColumns
  webhooks: WebhooksTable
  changes: ChangesTable
  visits: VisitsTable
  sync_state: SyncStateTable
  organisation_sync: OrganisationSyncTable
  notice_settings: NoticeSettingsTable
  notice_channels: NoticeChannelsTable
  notice_marks: NoticeMarksTable
  notices: NoticesTable
  installation: InstallationTable
}
