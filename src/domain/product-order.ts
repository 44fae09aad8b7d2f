/** The status of an order whose status cannot be read. */
export const unknownStatus = 'UNKNOWN'

/** Statuses of orders that the merchant has not submitted yet. */
export const waitingStatuses: readonly string[] = ['RECEIVED', 'MERCHANT_VIEWED']

/** Statuses that no longer change; the link of a prefilled order with one of them is dead. */
export const finalStatuses: readonly string[] = ['COMPLETED', 'REJECTED', 'EXPIRED']

/** The lifetime in days of a prefilled order's link, from the creation of the order. */
export const linkDays = 14

/**
 * The latest expiry of a prefilled order's link. The API has no creation time, but the order was created before the
 * portal first saw it.
 */
export function linkExpiry(firstSeenAt: Date): Date {
  return new Date(firstSeenAt.getTime() + linkDays * 86_400_000)
}
