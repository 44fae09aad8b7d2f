/**
 * An organisation that a user may act as, from the operator's organisations file. Its API credentials stay in
 * `management-api/` and are not part of this type.
 */
export type Partner = { readonly kind: 'partner'; readonly id: string; readonly name: string }
/** A merchant; `scheme` and `id` are its business identifier. */
export type Merchant = {
  readonly kind: 'merchant'
  readonly scheme: string
  readonly id: string
  readonly name: string
  /** The only sales unit that the operator's credentials for it reach; absent when they reach all. */
  readonly onlyMsn?: string
}

/** A partner or a merchant. */
export type Organisation = Partner | Merchant

/** Partner ID: 3 to 10 digits. */
export const partnerIdPattern = /^\d{3,10}$/
/** Business identifier scheme, such as `business:NO:ORG` or `business:FI:Y-tunnus`; 10 to 30 characters. */
export const schemePattern = /^(?=.{10,30}$)[A-Za-z]+(:[A-Za-z0-9-]+)+$/
/** Business identifier id: digits and dashes, 4 to 50 characters. */
export const businessIdPattern = /^[\d-]{4,50}$/
/** Whether the API can be asked for a merchant with this identifier; it answers 400 to others. */
export function isMerchantIdentifier({ scheme, id }: { readonly scheme: string; readonly id: string }): boolean {
  return schemePattern.test(scheme) && businessIdPattern.test(id)
}
/** Merchant serial number (MSN): 4 to 10 digits. */
export const msnPattern = /^\d{4,10}$/

/** The identity of an organisation, as grants keep it. */
export type OrganisationReference =
  | { readonly kind: 'partner'; readonly id: string }
  | { readonly kind: 'merchant'; readonly scheme: string; readonly id: string }

/**
 * The key of an organisation in maps, the database and the log: `partner/12345` or
 * `merchant/business:NO:ORG/987654321`. Unique, because neither part can contain a slash.
 */
export function organisationKey(organisation: OrganisationReference): string {
  return organisation.kind === 'partner'
    ? `partner/${organisation.id}`
    : `merchant/${organisation.scheme}/${organisation.id}`
}

/** The path of an organisation's pages: `/partners/12345` or `/merchants/business:NO:ORG/987654321`. */
export function organisationPath(organisation: OrganisationReference): string {
  return `/${organisationKey(organisation).replace('/', 's/')}`
}
