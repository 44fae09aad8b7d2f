import { soonDays } from '../../domain/product-order.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Page } from '../../domain/paging.ts'
import type { Language } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import {
  everyOrder,
  findProductOrders,
  type ProductOrderColumn,
  type ProductOrderFilter,
} from '../../store/product-orders.ts'
import { queryOf } from '../lists/list-view.ts'
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
): Promise<readonly Notice[]> {
  // One after the other: a page takes one connection at a time.
  const notices = [
    await ofOrders('expiring', { expiring: String(soonDays) }, 'urgency', waitingRow),
    await ofOrders('waiting', { waiting: '1' }, 'urgency', waitingRow),
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
  ): Promise<Notice> {
    const column: ProductOrderColumn = sort === 'urgency' ? 'urgency' : 'changed'
    const sorting = { column, descending: sort.startsWith('-') }
    const page = await findProductOrders(
      db,
      organisation,
      { ...everyOrder, ...filter },
      { ...firstPage, sort: sorting },
    )
    const orders = page.rows.map(orderOf)
    // The card before has those that expire soon.
    const others = orders.filter(({ expiresAt }) => !expiryOf(expiresAt, language)?.isSoon)
    const shown = key === 'waiting' && others.length > 0 ? others : orders
    const query = queryOf({ ...filter, sort: sort === 'urgency' ? '' : sort })
    return {
      key,
      ...countOf(page),
      path: `product-orders${query}`,
      rows: shown.slice(0, mostRows).map((order) => ({
        path: order.productOrderId === undefined ? `product-orders${query}` : `product-orders/${order.productOrderId}`,
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

function countOf({ total, more }: Page<unknown>): Pick<Notice, 'count' | 'more'> {
  return { count: total, more }
}
