import { covers, type Role } from '../domain/role.ts'
import type { Organisation } from '../domain/organisation.ts'
import type { Language } from '../presentation/language.ts'
import type { Handle } from '../store/database.ts'
import { everyOrder, findProductOrders } from '../store/product-orders.ts'
import { everySalesUnit, findSalesUnits, type SalesUnitRow } from '../store/sales-units.ts'
import { findWebhooks } from '../store/webhooks.ts'
import { allPricePackages } from './price-packages/rows.ts'
import { orderOf } from './product-orders/order.ts'
import { listedWebhook } from './webhooks/list.ts'

/** Rows of another list on the page of a record: the first few, and a link to the list with all of them. */
export type Related<Row> = {
  readonly rows: readonly Row[]
  readonly total: number
  /** There are more than `total`, which is where counting stops. */
  readonly more: boolean
  /** The path below the organisation's section. */
  readonly path: string
}

/** A record that others belong to: a merchant by its merchantKey(), or a sales unit. */
export type Owner = { readonly merchant: string } | { readonly msn: string }

type Asked = {
  readonly db: Handle
  readonly organisation: Organisation
  readonly language: Language
  readonly role: Role | undefined
}

const mostShown = 10
const first = { page: 1, size: 25 } as const

/** The current sales units of a merchant by name, as far as their details have been read, with known price packages. */
export async function relatedSalesUnits(
  { db, organisation, language }: Asked,
  merchant: string,
): Promise<Related<SalesUnitRow & { readonly pricePackageName: string | null }>> {
  const filter = { ...everySalesUnit, merchant }
  const sort = { column: 'name', descending: false, language: language.code } as const
  const { rows, total, more } = await findSalesUnits(db, organisation, filter, { ...first, sort })
  const isPriced = organisation.kind === 'partner' && rows.some(({ pricePackageId }) => pricePackageId !== null)
  const packages = isPriced ? await allPricePackages(db, organisation) : []
  const shown = rows.slice(0, mostShown).map((row) => {
    const known = packages.find(({ pricePackageId }) => pricePackageId === row.pricePackageId)
    return { ...row, pricePackageName: isPriced ? (known?.name ?? row.pricePackageId) : null }
  })
  return { rows: shown, total, more, path: pathOf('sales-units', { merchant }) }
}

/** The product orders of a merchant, or those that created a sales unit, the most urgent first; also expired ones. */
export async function relatedOrders({ db, organisation }: Asked, owner: Owner) {
  const filter = { ...everyOrder, ...owner }
  const sort = { column: 'urgency', descending: false } as const
  const { rows, total, more } = await findProductOrders(db, organisation, filter, { ...first, sort })
  const shown = rows.slice(0, mostShown).map(orderOf)
  return { rows: shown, total, more, path: pathOf('product-orders', { ...owner }) }
}

/** The webhooks that are registered for a sales unit, or for those of a merchant; undefined if the user sees none. */
export async function relatedWebhooks({ db, organisation, language, role }: Asked, owner: Owner) {
  if (role === undefined || !covers(role, 'developer')) return undefined
  const sort = { column: 'problem', descending: false } as const
  const { rows, total, more } = await findWebhooks(db, organisation, { q: '', ...owner }, { ...first, sort })
  const shown = rows.slice(0, mostShown).map(listedWebhook(language))
  return { rows: shown, total, more, path: pathOf('developers/webhooks', { ...owner }) }
}

/** The rows without the record of the page. The link still leads to all; without another record there is none. */
export function withoutThis<Row>(related: Related<Row>, isThis: (row: Row) => boolean): Related<Row> {
  const rows = related.rows.filter((row) => !isThis(row))
  return { ...related, rows, total: rows.length === 0 ? 0 : related.total }
}

function pathOf(list: string, query: Readonly<Record<string, string>>): string {
  return `${list}?${new URLSearchParams(query).toString()}`
}
