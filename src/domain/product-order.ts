/** The merchant has yet to submit the order. */
export const waitingStatuses: readonly string[] = ['RECEIVED', 'MERCHANT_VIEWED']

/** Nothing happens to the order any more; the link of a prefilled one leads nowhere. */
export const finalStatuses: readonly string[] = ['COMPLETED', 'REJECTED', 'EXPIRED']

/** The link of a prefilled order expires so many days after the order was made. */
export const linkDays = 14

/**
 * When a prefilled order's link has expired at the latest: the API does not tell when the order was made, but it was
 * before the portal first saw it.
 */
export function linkExpiry(firstSeenAt: Date): Date {
  return new Date(firstSeenAt.getTime() + linkDays * 86_400_000)
}
