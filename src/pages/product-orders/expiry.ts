const days = 86_400_000

/**
 * When a prefilled order's link stops working at the latest: 14 days after the order was made, which the API does not tell,
 * but it was before the portal first saw it.
 */
export function orderExpiry(firstSeenAt: Date): Date {
  return new Date(firstSeenAt.getTime() + 14 * days)
}
