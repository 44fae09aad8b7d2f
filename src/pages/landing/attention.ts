import { identifierText } from '../../domain/business-identifier.ts'
import type { Language } from '../../presentation/language.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Handle } from '../../store/database.ts'
import { type Few, newSalesUnits, type NotedOrder, ordersAboutToExpire, rejectedLately } from '../../store/landing.ts'
import type { ProductOrderFacets } from '../../store/summaries.ts'
import { linkExpiry } from '../../domain/product-order.ts'

/** A matter that needs attention: how many records there are, some of them, and a link to all. */
export type Notice = {
  readonly key: 'waiting' | 'expiring' | 'rejected' | 'newSalesUnits'
  readonly count: number
  /** Paths below the organisation's section. */
  readonly path: string
  readonly rows: readonly { readonly path: string; readonly name: string; readonly note: string }[]
}

const waitingStatuses: ReadonlySet<string> = new Set(['MERCHANT_VIEWED', 'RECEIVED'])

/** The matters of a partner that need attention, the most urgent first; those without records are left out. */
export async function attentionOf(
  db: Handle,
  organisation: Organisation,
  facets: ProductOrderFacets,
  language: Language,
): Promise<readonly Notice[]> {
  const { t, format } = language
  const [expiring, rejected, fresh] = await Promise.all([
    ordersAboutToExpire(db, organisation),
    rejectedLately(db, organisation),
    newSalesUnits(db, organisation),
  ])
  const ago = (at: Date): string => format.ago(Math.max(0, Date.now() - at.getTime()))
  const notices: readonly Notice[] = [
    ofOrders('expiring', 'product-orders?type=PREFILL&sort=seen', expiring, (at) =>
      t('landing.expiresBy', { date: format.day(linkExpiry(at)) }),
    ),
    waiting(facets, language),
    ofOrders('rejected', 'product-orders?status=REJECTED', rejected, ago),
    {
      key: 'newSalesUnits',
      count: fresh.count,
      path: 'sales-units?sort=-seen',
      rows: fresh.rows.map(({ msn, name, at }) => ({
        path: `sales-units/${encodeURIComponent(msn)}`,
        name,
        note: ago(at),
      })),
    },
  ]
  return notices.filter(({ count }) => count > 0)
}

function ofOrders(
  key: Notice['key'],
  path: string,
  { count, rows }: Few<NotedOrder>,
  noteOf: (at: Date) => string,
): Notice {
  return {
    key,
    count,
    path,
    rows: rows.map(({ productOrderId, merchantName, scheme, businessId, at }) => ({
      path: `product-orders/${encodeURIComponent(productOrderId)}`,
      name:
        merchantName ??
        (scheme === null || businessId === null ? productOrderId : identifierText({ scheme, id: businessId })),
      note: noteOf(at),
    })),
  }
}

function waiting(facets: ProductOrderFacets, { t, format }: Language): Notice {
  const rows = facets.status.filter(({ value }) => waitingStatuses.has(value))
  return {
    key: 'waiting',
    count: rows.reduce((sum, { count }) => sum + count, 0),
    path: 'product-orders',
    rows: rows.map(({ value, count }) => ({
      path: `product-orders?status=${value}`,
      name: t(`orderStatus.${value}.name`),
      note: format.number(count),
    })),
  }
}
