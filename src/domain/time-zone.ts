import { countryOf } from './business-identifier.ts'
import type { OrganisationReference } from './organisation.ts'

/** The time zone of the portal's days and months, independent of the server's. */
export const portalTimeZone = 'Europe/Oslo'

const zones: Readonly<Record<string, string>> = {
  NO: 'Europe/Oslo',
  DK: 'Europe/Copenhagen',
  FI: 'Europe/Helsinki',
  SE: 'Europe/Stockholm',
}

/** The time zone in which an organisation works: a merchant's is its country's. @param ofPartners that of all partners */
export function timeZoneOf(organisation: OrganisationReference, ofPartners: string): string {
  if (organisation.kind === 'partner') return ofPartners
  return zones[countryOf(organisation.scheme)] ?? ofPartners
}
