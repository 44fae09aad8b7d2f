import type { Language } from '../../presentation/language.ts'
import type { ProductOrderFilter } from '../../store/product-orders.ts'
import type { ProductOrderFacets, StatusFacet } from '../../store/summaries.ts'
import { isOfStatus, orderSteps, otherStatuses } from '../../domain/product-order.ts'
import { daysField, marketField, monthField, productField } from '../lists/filter-fields.ts'
import type { Field, Tabs } from '../lists/list-view.ts'
import { optionsOf, sumOf } from './facets.ts'

/** The orders of these counts that the filters of the tabs leave. */
export function ofTab(counts: StatusFacet, { status, waiting }: ProductOrderFilter): StatusFacet {
  return counts.filter(
    ({ value, waits }) => isOfStatus(value, status) && (waiting === '' || waits === (waiting === '1')),
  )
}

/**
 * The tabs: what waits for its merchant, the other states, and all. Together the others have each order of "All" once.
 * Received orders have a tab when some were not prefilled; these wait to be processed. Statuses that the API does not
 * document share one.
 */
export function tabsOf({ t, labelOfCode }: Language, facets: ProductOrderFacets, counts: StatusFacet): Tabs {
  const statusOf = (status: string) => ({
    label: labelOfCode(`orderStatus.${status}.name`, status),
    count: sumOf(counts.filter(({ value, waits }) => isOfStatus(value, status) && !waits)),
    filter: { status },
  })
  const others = facets.status.some(({ value }) => isOfStatus(value, otherStatuses)) ? [otherStatuses] : []
  const received = { ...statusOf('RECEIVED'), filter: { status: 'RECEIVED', waiting: '0' } }
  const hasReceived = facets.status.some(({ value, waits }) => value === 'RECEIVED' && !waits)
  return {
    label: t('productOrders.status'),
    options: [
      {
        label: t('productOrders.needsAction'),
        count: sumOf(counts.filter(({ waits }) => waits)),
        filter: { waiting: '1' },
      },
      ...(hasReceived ? [received] : []),
      ...['ORDER_SUBMITTED', 'COMPLETED', 'REJECTED', ...others, 'EXPIRED'].map(statusOf),
      { label: t('common.all'), count: sumOf(counts), filter: {}, isAll: true },
    ],
  }
}

/** The filters beside the tabs, and the chips of those that only links set. */
export function fieldsOf(language: Language, facets: ProductOrderFacets, filter: ProductOrderFilter): readonly Field[] {
  const { t, labelOfCode } = language
  const option = (value: string, label: string) => ({ value, label })
  const types = optionsOf(facets, 'type').map((value) => option(value, labelOfCode(`orderType.${value}`, value)))
  const statuses = optionsOf(facets, 'status').map((value) =>
    option(value, labelOfCode(`orderStatus.${value}.name`, value)),
  )
  const { expiring } = filter
  return [
    productField(language, optionsOf(facets, 'product')),
    { kind: 'one', name: 'type', label: t('productOrders.type'), options: types },
    marketField(language),
    daysField(language, 'changed', filter.changed, 'one'),
    { kind: 'chip', name: 'status', label: t('productOrders.status'), options: statuses },
    {
      kind: 'chip',
      name: 'waiting',
      label: '',
      options: [option('1', t('productOrders.needsAction')), option('0', t('productOrders.needsNoAction'))],
    },
    {
      kind: 'chip',
      name: 'expiring',
      label: t('productOrders.expires'),
      options: [option(expiring, t('productOrders.withinDays', { count: Number(expiring) }))],
    },
    daysField(language, 'new', filter.new, 'chip'),
    monthField(language, filter.month),
    {
      kind: 'chip',
      name: 'reached',
      label: t('productOrders.reached'),
      options: orderSteps.map((step) => option(step, t(`orderStep.${step}`))),
    },
  ]
}
