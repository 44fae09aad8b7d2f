import { finalStatuses, orderSteps, type OrderStep } from '../../domain/product-order.ts'
import type { Language } from '../../presentation/language.ts'
import type { Funnel } from '../../store/summaries.ts'
import type { ProductOrder } from './order.ts'

/** A step of an order, and when the portal saw it; for a step ahead its usual time, or ''. */
export type Step = {
  readonly name: string
  /** `ended`: the order was rejected or has expired instead of taking the next step. */
  readonly state: 'done' | 'ended' | 'current' | 'ahead'
  readonly when: string
}

/**
 * The steps of an order: those it has taken, and those ahead until it is completed.
 * @param medianDays of prefilled orders, from each step to the next
 */
export function stepsOf(
  order: ProductOrder,
  language: Language,
  medianDays: Funnel['medianDays'] = [],
): readonly Step[] {
  const { t } = language
  const seenAt: Readonly<Record<OrderStep, Date | null>> = {
    received: order.firstSeenAt,
    viewed: order.viewedAt,
    submitted: order.submittedAt,
    completed: order.completedAt,
  }
  // Only the link of a prefilled order is opened and submitted.
  const taken = orderSteps.filter(
    (step) => order.productOrderType === 'PREFILL' || step === 'received' || step === 'completed',
  )
  const last = lastStep(order)
  const isFinal = finalStatuses.includes(order.status)
  const steps = taken.flatMap((step): Step[] => {
    const name = t(`orderStep.${step}`)
    const at = orderSteps.indexOf(step)
    if (at === 0) return [{ name, state: 'done', when: language.format.recent(order.firstSeenAt) }]
    if (at <= last) return [{ name, state: 'done', when: whenOf(seenAt[step], order, language) }]
    if (isFinal) return []
    const isCurrent = step === taken.find((one) => orderSteps.indexOf(one) > last)
    const usual = order.productOrderType === 'PREFILL' ? (medianDays[at - 1] ?? null) : null
    return [{ name, state: isCurrent ? 'current' : 'ahead', when: usualTime(usual, language) }]
  })
  if (!isFinal || order.status === 'COMPLETED') return steps
  const endedAt = order.status === 'REJECTED' ? order.rejectedAt : order.expiredAt
  const name = t(`orderStatus.${order.status}.name`)
  return [...steps, { name, state: 'ended', when: whenOf(endedAt, order, language) }]
}

/** The place of the last step that the order has taken; a rejected order was submitted. */
function lastStep({ status, completedAt, submittedAt, rejectedAt, viewedAt }: ProductOrder): number {
  if (status === 'COMPLETED' || completedAt) return 3
  if (submittedAt ?? rejectedAt) return 2
  return viewedAt ? 1 : 0
}

/** How long the step takes after the one before, '' where too few orders tell. */
function usualTime(days: number | null, { t, format }: Language): string {
  if (days === null) return ''
  const whole = Math.round(days)
  return whole === 0
    ? t('productOrder.usuallySameDay')
    : t('productOrder.usually', { count: whole, days: format.number(whole) })
}

/** A state that the order had when it was first seen is at least as old. */
function whenOf(at: Date | null, { firstSeenAt }: ProductOrder, { t, format }: Language): string {
  if (!at) return ''
  const date = format.recent(at)
  return at.getTime() === firstSeenAt.getTime() ? t('productOrder.orEarlier', { date }) : date
}
