/** The status of an order whose status cannot be read. */
export const unknownStatus = 'UNKNOWN'

/** The statuses that the API documents, in the order of an order's life. */
export const orderStatuses = [
  'RECEIVED',
  'MERCHANT_VIEWED',
  'ORDER_SUBMITTED',
  'COMPLETED',
  'REJECTED',
  'EXPIRED',
] as const

/** In filters: every status that the API does not document. */
export const otherStatuses = 'OTHER'

/** Whether an order with this status is in the filter's `status`; '' is all. */
export function isOfStatus(status: string, filter: string): boolean {
  if (filter !== otherStatuses) return filter === '' || filter === status
  return !(orderStatuses as readonly string[]).includes(status)
}

/** Statuses that no longer change; the link of a prefilled order with one of them is dead. */
export const finalStatuses: readonly string[] = ['COMPLETED', 'REJECTED', 'EXPIRED']

/** The steps of an order that is completed, in their order. */
export const orderSteps = ['received', 'viewed', 'submitted', 'completed'] as const
export type OrderStep = (typeof orderSteps)[number]

/** A link that ends within so many days needs attention. */
export const soonDays = 3
