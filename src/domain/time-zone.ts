import { countryOf } from './business-identifier.ts'
import type { OrganisationReference } from './organisation.ts'

/**
 * The time zone of the portal's days and months, independent of the server's and of the reader's: charts, filters by day
 * or month, and downloads are the same in every language. Pages show times in the zone of their language.
 */
export const portalTimeZone = 'Europe/Oslo'

const isoDays = new Intl.DateTimeFormat('sv-SE', { timeZone: portalTimeZone })

/** The date of a moment in the portal's time zone, in ISO 8601: 2026-10-01. */
export function portalDay(time: Date): string {
  return isoDays.format(time)
}

const isoMinutes = new Intl.DateTimeFormat('sv-SE', {
  dateStyle: 'short',
  timeStyle: 'short',
  timeZone: portalTimeZone,
})

/** The date and time of day in the portal's time zone: 2026-10-01 10:42. */
export function portalMinute(time: Date): string {
  return isoMinutes.format(time)
}

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
