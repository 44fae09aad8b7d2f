/**
 * Who a user acts as. The portal knows an organisation from the operator's organisations file; its keys live
 * in `management-api/` and never travel with this type.
 */
export type Partner = { readonly kind: 'partner'; readonly id: string; readonly name: string }
export type Merchant = {
  readonly kind: 'merchant'
  readonly scheme: string
  readonly id: string
  readonly name: string
}

export type Organisation = Partner | Merchant

/** Partner ID: 3 to 10 digits. */
export const partnerIdPattern = /^\d{3,10}$/
/** Business identifier scheme, such as `business:NO:ORG` or `business:FI:Y-tunnus`; 10 to 30 characters. */
export const schemePattern = /^(?=.{10,30}$)[A-Za-z]+(:[A-Za-z0-9-]+)+$/
/** Business identifier id: digits and dashes, 4 to 50 characters. */
export const businessIdPattern = /^[\d-]{4,50}$/
/** Merchant serial number (MSN): 4 to 10 digits. */
export const msnPattern = /^\d{4,10}$/

/** The part of an organisation that names it, as grants keep it. */
export type OrganisationReference =
  | { readonly kind: 'partner'; readonly id: string }
  | { readonly kind: 'merchant'; readonly scheme: string; readonly id: string }

/**
 * One string an organisation: `partner/12345` or `merchant/business:NO:ORG/987654321`. Used as key in maps, in
 * the database and in the log; unique because neither part can contain a slash.
 */
export function organisationKey(organisation: OrganisationReference): string {
  return organisation.kind === 'partner'
    ? `partner/${organisation.id}`
    : `merchant/${organisation.scheme}/${organisation.id}`
}
