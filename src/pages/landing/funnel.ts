import { z } from 'zod'
import { markets } from '../../domain/business-identifier.ts'
import { orderSteps, type OrderStep } from '../../domain/product-order.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Language } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import { everyOrder, orderFunnel } from '../../store/product-orders.ts'
import type { Funnel, ProductOrderFacets } from '../../store/summaries.ts'
import { queryOf } from '../lists/list-view.ts'
import { choice, month, searchText } from '../lists/query.ts'
import { optionsOf, sumOf } from '../product-orders/facets.ts'

/** The funnel is of orders of this type, unless another one is chosen. */
const usualType = 'PREFILL'

/** The query of the funnel: which orders it shows. Prefilled ones unless another type is chosen. */
export const funnelQuery = z.object({ month, product: searchText, type: searchText, market: choice(markets) })

/** The funnel as its view draws it; paths are below the organisation's section. */
export type FunnelView = {
  readonly total: number
  readonly since: string
  readonly steps: readonly {
    readonly key: OrderStep
    readonly count: number
    readonly share: string
    /** Of 100, for the length of its bar. */
    readonly percent: string
    readonly after: string
    readonly path: string
  }[]
  /** The same as one shape, in the units of its viewBox: a block for each step, and a slope down to the next one. */
  readonly shape: {
    readonly width: number
    readonly blocks: readonly { readonly x: number; readonly y: string; readonly height: string }[]
    readonly slopes: readonly string[]
  }
  readonly othersTotal: number
  readonly others: readonly { readonly text: string; readonly count: number; readonly path: string }[]
  /** The filters that are on, each with the path without it. */
  readonly chips: readonly { readonly label: string; readonly path: string }[]
  readonly fields: readonly {
    readonly name: keyof z.output<typeof funnelQuery>
    readonly label: string
    readonly options: readonly { readonly value: string; readonly label: string; readonly selected: boolean }[]
  }[]
}

/** How far the partner's orders have come. The sync counts all prefilled ones; others are counted for the request. */
export async function funnelOf(
  db: Handle,
  organisation: Organisation,
  asked: z.output<typeof funnelQuery>,
  facets: ProductOrderFacets,
  language: Language,
): Promise<FunnelView> {
  const filter = { ...asked, type: asked.type || usualType }
  const isUsual = queryOf({ ...asked, type: filter.type === usualType ? '' : filter.type }) === ''
  const funnel =
    isUsual && facets.funnel ? facets.funnel : await orderFunnel(db, organisation, { ...everyOrder, ...filter })
  const { t, format, labelOfCode } = language
  const total = funnel.reached[0] ?? 0
  const reached = (step: OrderStep): number => funnel.reached[orderSteps.indexOf(step)] ?? 0
  const steps = stepsOf(filter.type)
  const fields = fieldsOf({ ...asked, type: filter.type }, facets, language)
  const pathOf = (more: Readonly<Record<string, string>>): string => `product-orders${queryOf({ ...filter, ...more })}`
  return {
    total,
    since: funnel.since === null ? '' : format.longDay(new Date(funnel.since)),
    steps: steps.map((key) => {
      const count = reached(key)
      return {
        key,
        count,
        share: total === 0 || key === 'received' ? '' : format.share(count / total),
        percent: total === 0 ? '0' : ((100 * count) / total).toFixed(1),
        after: afterText(key, filter.type, funnel, language),
        path: pathOf({ reached: key }),
      }
    }),
    shape: shapeOf(steps.map((step) => (total === 0 ? 0 : (100 * reached(step)) / total))),
    othersTotal: sumOf(funnel.others),
    others: othersOf(funnel).map(({ key, count, query }) => ({
      text: language.has(`landing.others.${key}`)
        ? t(`landing.others.${key}`)
        : labelOfCode(`orderStatus.${key}.name`, key),
      count,
      path: pathOf({ reached: 'received', ...query }),
    })),
    chips: chipsOf(asked, fields),
    fields,
  }
}

const [blockWidth, stepWidth] = [62, 100]

/** @param percents the height of each block */
function shapeOf(percents: readonly number[]): FunnelView['shape'] {
  const tops = percents.map((percent) => (stepWidth - percent).toFixed(1))
  return {
    width: stepWidth * (percents.length - 1) + blockWidth,
    blocks: percents.map((percent, at) => ({ x: at * stepWidth, y: tops[at] ?? '0', height: percent.toFixed(1) })),
    slopes: tops
      .slice(1)
      .map(
        (top, at) =>
          `M${at * stepWidth + blockWidth} ${tops[at]}L${(at + 1) * stepWidth} ${top}V100H${at * stepWidth + blockWidth}z`,
      ),
  }
}

/** The type is a filter that is on only when it is not the usual one. */
function chipsOf(asked: z.output<typeof funnelQuery>, fields: FunnelView['fields']): FunnelView['chips'] {
  return fields
    .filter(({ name }) => asked[name] !== '' && asked[name] !== usualType)
    .map(({ name, label, options }) => ({
      label: `${label}: ${options.find(({ selected }) => selected)?.label}`,
      path: queryOf({ ...asked, [name]: '' }),
    }))
}

/** Orders that were not prefilled are not opened and submitted by their merchants. */
function stepsOf(type: string): readonly OrderStep[] {
  return type === usualType ? orderSteps : ['received', 'completed']
}

/** The median time from the step before, as far as the portal has seen enough of both. */
function afterText(step: OrderStep, type: string, { medianDays }: Funnel, { t, format }: Language): string {
  if (step === 'received' || type !== usualType) return ''
  const days = medianDays[orderSteps.indexOf(step) - 1] ?? null
  if (days === null) return t('landing.tooFew')
  const whole = Math.round(days)
  return whole === 0 ? t('landing.sameDay') : t('landing.afterDays', { count: whole, days: format.number(whole) })
}

type Others = { readonly key: string; readonly count: number; readonly query: Readonly<Record<string, string>> }

function othersOf({ others }: Funnel): readonly Others[] {
  const waiting = sumOf(others.filter(({ waits }) => waits))
  const rest = others.filter(({ waits }) => !waits)
  return [
    { key: 'WAITING', count: waiting, query: { waiting: '1' } },
    ...rest.map(({ value, count }) => ({ key: value, count, query: { status: value, waiting: '0' } })),
  ].filter(({ count }) => count > 0)
}

function fieldsOf(
  asked: z.output<typeof funnelQuery>,
  facets: ProductOrderFacets,
  { t, format, labelOfCode }: Language,
): FunnelView['fields'] {
  const months = [...new Set([...facets.months.map((row) => row.month), asked.month])]
    .filter(Boolean)
    .toSorted()
    .toReversed()
  const field = (name: keyof typeof asked, label: string, values: readonly (readonly [string, string])[]) => ({
    name,
    label,
    options: values.map(([value, text]) => ({ value, label: text, selected: value === asked[name] })),
  })
  const all = ['', t('common.all')] as const
  return [
    field('month', t('landing.month'), [all, ...months.map((value) => [value, format.month(value)] as const)]),
    field('product', t('lists.product'), [
      all,
      ...optionsOf(facets, 'product').map((value) => [value, labelOfCode(`productType.${value}`, value)] as const),
    ]),
    field(
      'type',
      t('productOrders.type'),
      optionsOf(facets, 'type').map((value) => [value, labelOfCode(`orderType.${value}`, value)] as const),
    ),
    field('market', t('lists.market'), [all, ...markets.map((value) => [value, format.country(value)] as const)]),
  ]
}
