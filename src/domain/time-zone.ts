/** The time zone of the portal's days and months, independent of the server's. */
export const portalTimeZone = 'Europe/Oslo'
