import type { ColumnType, Generated } from 'kysely'
import type { Role } from '../domain/role.ts'

/** Written once, by the database's clock. */
type WrittenOnce = ColumnType<Date, never, never>

/** Somebody who has signed in: the id is the portal's own (UUIDv5 of issuer and subject). */
export type UsersTable = {
  id: string
  issuer: string
  subject: string
  name: string | null
  /** As the eID says it. */
  email: string | null
  /** As emailAddress() gives it; both are null until the first address is verified. */
  verified_email: string | null
  verified_email_at: Date | null
  first_signed_in_at: WrittenOnce
  last_signed_in_at: Generated<Date>
}

/** The one code that a user can type now; `code_mac` is auth/email-codes.ts's, never the code. */
export type EmailCodesTable = {
  user_id: string
  email: string
  code_mac: string
  tries: Generated<number>
  sent_at: Generated<Date>
}

/** Mails with codes, for the limits; kept for as long as those look back. */
export type CodeMailsTable = {
  id: ColumnType<string, never, never>
  user_id: string
  address_mac: string
  at: WrittenOnce
}

/** The operator's record that a user may act as an organisation; `organisation` is its organisationKey(). */
export type GrantsTable = {
  user_id: string
  organisation: string
  granted_at: Generated<Date>
  role: Generated<Role>
  /** The first moment at which it is no grant any more. */
  ends_at: Date | null
  granted_by: string | null
  reason: string | null
}

/** Append-only: audit.ts has its one writer. */
export type AuditTable = {
  id: ColumnType<string, never, never>
  at: ColumnType<Date, Date | undefined, never>
  event: string
  user_id: string | null
  organisation: string | null
  address: string | null
  details: unknown
}

/** A browser's session; the columns from `user_id` on are null before sign-in. Times are by the clock of the portal. */
export type SessionsTable = {
  /** Digest of the id in the cookie. */
  id: string
  user_id: string | null
  signed_in_at: Date | null
  last_used_at: Date
  /** If nobody uses it meanwhile. */
  ends_at: Date
  device: { readonly browser: string | null; readonly system: string | null } | null
  /** As truncatedAddress() gives it. */
  address: string | null
  /** `sid` of the ID token. */
  eid_session_id: string | null
  encrypted_id_token: string | null
  /** What else express-session carries: the CSRF token, sign-ins under way. */
  data: Readonly<Record<string, unknown>>
}

/** Logout tokens that have been acted on, until they are too old to be believed. */
export type LogoutTokensTable = { id: string; forget_at: Date }

/**
 * What every table of records has. `key` names the record in its organisation: an MSN, an id, `scheme/id` of a
 * merchant, `msn/id` of a webhook (`/id` for the organisation's own).
 */
type RecordColumns = {
  organisation: string
  key: string
  first_seen_at: Date
  /** As of the row's last writing: a row that is not gone was there whenever its list was read since. */
  last_seen_at: Date
  changed_at: Date
  removed_at: Date | null
  /** What said that it is gone: a list without it, or 404 on its details. */
  removed_by: 'list' | 'details' | null
  /** Digest of the list's item, to see quickly whether it says something new. */
  listed_digest: string | null
  /** The list's item and the details as the API said them, whole. */
  listed: unknown
  details: unknown
}

type Searchable = { search_text: ColumnType<string, never, never> }

/** A merchant's business identifier and name, as far as they are known. */
type OfMerchant<Identifier> = {
  scheme: Identifier
  business_id: Identifier
  merchant_name: string | null
  /** sortKey() of the name. */
  merchant_sort_key: string | null
  /** The scheme's country, such as NO. */
  market: ColumnType<string | null, never, never>
}

export type SalesUnitsTable = RecordColumns &
  Searchable &
  OfMerchant<string | null> & {
    name: string
    sort_key: string
    /** The MSN by value, for its order; text, because of its size. */
    msn_number: ColumnType<string | null, never, never>
    capture_type: ColumnType<string | null, never, never>
    /** The switches of the configuration that are on. */
    capabilities: ColumnType<string[], never, never>
  }

export type ProductOrdersTable = RecordColumns &
  Searchable &
  OfMerchant<string> & {
    status: string
    product_order_type: string | null
    product_type: string | null
    msn: string | null
    sales_unit_name: string | null
    /** What somebody can still do something about stands first. */
    rank: ColumnType<number, never, never>
  }

/** `msn` is empty for the organisation's own registrations. */
export type WebhooksTable = RecordColumns & Searchable & { msn: string; url: string; id: string }

/** Written in the transaction that writes the row; the database refuses to change or delete any. */
export type ChangesTable = {
  id: ColumnType<string, never, never>
  organisation: string
  at: Date
  resource: string
  key: string
  kind: 'added' | 'changed' | 'removed' | 'returned'
  fields: unknown
}

/** When each list and record was read, and when it is due: lists have an empty `key`. */
export type SyncStateTable = {
  organisation: string
  resource: string
  key: Generated<string>
  /** 1970 for what has never been read, infinity (a number) for what is not read again by itself. */
  due_at: Generated<Date | number>
  /** Since when a user has been waiting for it. */
  requested_at: Date | null
  /** A user asked for a key that no list has: read after the lists. */
  unlisted: Generated<boolean>
  checked_at: Date | null
  failing_since: Date | null
  failures: Generated<number>
  failure: 'unavailable' | 'refused' | null
  suspect_since: Date | null
  available: Generated<boolean>
  skipped: Generated<number>
  total: number | null
  done: number | null
  facets: unknown
}

/** When an organisation is due, and which instance works for it; leases.ts has its readers and writers. */
export type OrganisationSyncTable = {
  organisation: string
  lists_due_at: Generated<Date | number>
  details_due_at: Generated<Date | number>
  requested_at: Date | null
  leased_by: string | null
  leased_until: Date | null
  /** Since when users have been opening its pages, and when one did last. */
  active_since: Date | null
  active_at: Date | null
}

/** Every table as the newest migration leaves it. */
export type Schema = {
  users: UsersTable
  grants: GrantsTable
  sessions: SessionsTable
  logout_tokens: LogoutTokensTable
  audit: AuditTable
  email_codes: EmailCodesTable
  code_mails: CodeMailsTable
  sales_units: SalesUnitsTable
  merchants: RecordColumns & Searchable & { name: string; sort_key: string | null }
  product_orders: ProductOrdersTable
  price_packages: RecordColumns & { sort_key: string }
  templates: RecordColumns & { sort_key: string }
  webhooks: WebhooksTable
  changes: ChangesTable
  sync_state: SyncStateTable
  organisation_sync: OrganisationSyncTable
}
