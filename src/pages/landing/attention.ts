import { soonDays } from '../../domain/product-order.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Language } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import {
  everyOrder,
  findProductOrders,
  type ProductOrderColumn,
  type ProductOrderFilter,
} from '../../store/product-orders.ts'
import type { ProductOrderFacets } from '../../store/summaries.ts'
import { queryOf } from '../lists/list-view.ts'
import { sumOf } from '../product-orders/facets.ts'
import { expiryOf, orderName, orderOf, type ProductOrder } from '../product-orders/order.ts'

/** A matter that needs attention: how many records there are, some of them, and a link to exactly those. */
export type Notice = {
  readonly key: 'expiring' | 'waiting' | 'rejected'
  readonly count: number
  /** There are more than `count`, which is where counting stops. */
  readonly more: boolean
  /** Paths below the organisation's section. */
  readonly path: string
  readonly rows: readonly NoticeRow[]
}

/** `soon`: the part of the note that is urgent. */
type NoticeRow = { readonly path: string; readonly name: string; readonly soon: string; readonly note: string }

const mostRows = 3
const rejectedDays = '14'
const firstPage = { page: 1, size: 25 } as const

/** The matters of a partner that need attention, the most urgent first; those without records are left out. */
export async function attentionOf(
  db: Handle,
  organisation: Organisation,
  language: Language,
  facets: ProductOrderFacets,
): Promise<readonly Notice[]> {
  // As the list and its tabs count them; unknown until the first list is read.
  const waiting = facets.status.length === 0 ? undefined : sumOf(facets.status.filter(({ waits }) => waits))
  // One after the other: a page takes one connection at a time.
  const notices = [
    await ofOrders('expiring', { expiring: String(soonDays) }, 'urgency', waitingRow),
    await ofOrders('waiting', { waiting: '1' }, 'urgency', waitingRow, waiting),
    await ofOrders('rejected', { status: 'REJECTED', changed: rejectedDays }, '-changed', ({ changedAt }) => ({
      soon: '',
      note: language.t('landing.rejectedOn', { date: language.format.shortDay(changedAt) }),
    })),
  ]
  return notices.filter(({ count }) => count > 0)

  /** The orders of the same filter as their list's, so that both have the same rows. */
  async function ofOrders(
    key: Notice['key'],
    filter: Partial<ProductOrderFilter>,
    sort: 'urgency' | '-changed',
    noteOf: (order: ProductOrder) => Pick<NoticeRow, 'soon' | 'note'>,
    total?: number,
  ): Promise<Notice> {
    const column: ProductOrderColumn = sort === 'urgency' ? 'urgency' : 'changed'
    const sorting = { column, descending: sort.startsWith('-') }
    const asked = { ...firstPage, sort: sorting, total }
    const page = await findProductOrders(db, organisation, { ...everyOrder, ...filter }, asked)
    // The card before has those that expire soon.
    const others = page.rows.filter(({ expiresAt }) => !expiryOf(expiresAt, language)?.isSoon)
    const shown = key === 'waiting' && others.length > 0 ? others : page.rows
    const query = queryOf({ ...filter, sort: sort === 'urgency' ? '' : sort })
    return {
      key,
      count: page.total,
      more: page.more,
      path: `product-orders${query}`,
      rows: shown
        .slice(0, mostRows)
        .map(orderOf)
        .map((order) => ({
          path:
            order.productOrderId === undefined ? `product-orders${query}` : `product-orders/${order.productOrderId}`,
          name: orderName(order, language),
          ...noteOf(order),
        })),
    }
  }

  function waitingRow({ expiresAt, state }: ProductOrder): Pick<NoticeRow, 'soon' | 'note'> {
    const expiry = expiryOf(expiresAt, language)
    const status = language.labelOfCode(`orderStatus.${state}.name`, state)
    const ends = expiry ? `${expiry.text} (${expiry.date})` : ''
    return expiry?.isSoon ? { soon: ends, note: status } : { soon: '', note: ends ? `${ends} · ${status}` : status }
  }
}
