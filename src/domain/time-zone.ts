/** Days and months of the portal begin in this time zone, wherever it runs. */
export const portalTimeZone = 'Europe/Oslo'
