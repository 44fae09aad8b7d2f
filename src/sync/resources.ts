import type { CallOptions, ListOptions, ManagementApiClient } from '../management-api/client.ts'
import { getMerchant, merchant } from '../management-api/merchants.ts'
import type { Rows } from '../management-api/parse.ts'
import { listPricePackages, pricePackage } from '../management-api/price-packages.ts'
import { listProductOrderTemplates, productOrderTemplate } from '../management-api/product-order-templates.ts'
import { getProductOrder, listProductOrders, lowerUuid, productOrder } from '../management-api/product-orders.ts'
import { getSalesUnit, listSalesUnits, salesUnit, salesUnitListItem } from '../management-api/sales-units.ts'
import { listWebhooks, webhook } from '../management-api/webhooks.ts'
import type { Organisation } from '../domain/organisation.ts'
import { type DetailResource, type ListResource, listResources } from '../store/sync-state.ts'
import type { DerivedColumns, Json, RecordTable } from '../store/records.ts'
import { sortKey } from '../store/sort-key.ts'

/** What a table keeps: its word in the history, and the columns that follow from what the API said. */
export type Kind = {
  readonly table: RecordTable
  readonly resource: string
  /** The columns beside the API's words, from a record as it is now; `merchantName` where it is known. */
  readonly derive: (current: Json, key: string, merchantName: string | null) => DerivedColumns
}

/** An index takes no more; details show all of it. */
const longestName = 200

/** Made once: a schema made for every row would cost more than all the rest of the row. */
const knownSalesUnit = salesUnitListItem.extend({
  businessIdentifier: salesUnit.shape.businessIdentifier.optional(),
})

const salesUnits: Kind = {
  table: 'sales_units',
  resource: 'salesUnit',
  derive: (current, _key, merchantName) => {
    const { name, businessIdentifier } = knownSalesUnit.parse(current)
    return {
      name: nameOf(name),
      scheme: orNull(businessIdentifier?.scheme),
      business_id: orNull(businessIdentifier?.id),
      ...merchantColumns(merchantName),
      sort_key: sortKey(name),
    }
  },
}

const merchants: Kind = {
  table: 'merchants',
  resource: 'merchant',
  derive: (current) => {
    const { name } = merchant.parse(current)
    return { name: nameOf(name), sort_key: sortKey(name) }
  },
}

const productOrders: Kind = {
  table: 'product_orders',
  resource: 'productOrder',
  derive: (current, _key, merchantName) => {
    const order = productOrder.parse(current)
    return {
      status: order.status,
      product_order_type: orNull(order.productOrderType),
      product_type: orNull(order.productType),
      scheme: order.businessIdentifier.scheme,
      business_id: order.businessIdentifier.id,
      ...merchantColumns(merchantName),
      msn: orNull(order.salesUnit?.msn),
      sales_unit_name: orNull(order.salesUnit?.name),
    }
  },
}

const pricePackages: Kind = {
  table: 'price_packages',
  resource: 'pricePackage',
  derive: (current) => {
    const { market, name } = pricePackage.parse(current)
    return { sort_key: `${market ?? ''} ${sortKey(name)}` }
  },
}

const templates: Kind = {
  table: 'templates',
  resource: 'template',
  derive: (current) => ({ sort_key: sortKey(productOrderTemplate.parse(current).name) }),
}

const webhooks: Kind = {
  table: 'webhooks',
  resource: 'webhook',
  derive: (current, key) => {
    const { url, id } = webhook.parse(current)
    return { url, id, msn: key.split('/')[0] ?? '' }
  },
}

/** A list: how it is read, and how its rows are called. */
export type ListKind = Kind & {
  /** The member that names a row, also one that cannot be read otherwise, and the row's key by it. */
  readonly idMember: string
  readonly keyOfId: (id: string) => string
  readonly read: (client: ManagementApiClient, options: ListOptions) => Promise<Rows<Json>>
  readonly keyOf: (item: Json) => string
  /** Webhooks: the part of the table that the list speaks of. */
  readonly msn?: string
}

/** The id of a row that may be malformed; undefined when it has none that could be one. */
export function idOf(row: unknown, idMember: string): string | undefined {
  const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, idMember) : undefined
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

export function webhookKey(msn: string, item: Json): string {
  return `${msn}/${idOf(item, 'id') ?? ''}`
}

export const lists: Readonly<Record<ListResource, ListKind>> = {
  salesUnits: { ...salesUnits, ...namedBy('msn'), read: listSalesUnits },
  productOrders: {
    ...productOrders,
    idMember: 'productOrderId',
    keyOfId: lowerUuid,
    // The API leaves expired orders out unless asked; they are part of what happened.
    read: (client, options) => listProductOrders(client, { ...options, includeExpired: true }),
    keyOf: (item) => {
      const { productOrderId, businessIdentifier, productOrderType, productType } = productOrder.parse(item)
      // An order without an id is known by what does not change of it.
      return productOrderId ?? `~${merchantKey(businessIdentifier)}/${productOrderType}/${productType}`
    },
  },
  pricePackages: { ...pricePackages, ...namedBy('pricePackageId'), read: listPricePackages },
  templates: { ...templates, ...namedBy('templateId'), read: listProductOrderTemplates },
  webhooks: {
    ...webhooks,
    idMember: 'id',
    keyOfId: (id) => `/${id}`,
    read: listWebhooks,
    keyOf: (item) => webhookKey('', item),
    msn: '',
  },
}

/** The lists that an organisation has: what the API gives partners only is not asked for merchants. */
export function listsOf(organisation: Organisation): ListResource[] {
  return organisation.kind === 'partner' ? [...listResources] : ['salesUnits', 'webhooks']
}

/** `scheme/id`, as a merchant is called in the store. */
export function merchantKey({ scheme, id }: { readonly scheme: string; readonly id: string }): string {
  return `${scheme}/${id}`
}

type One = Exclude<DetailResource, 'salesUnitWebhooks'>

/** What is read one by one; webhooks of a sales unit are a list of their own, `readWebhooksOf`. */
export const details: Readonly<
  Record<
    One,
    Kind & {
      readonly read: (client: ManagementApiClient, key: string, options: CallOptions) => Promise<Json>
    }
  >
> = {
  salesUnit: { ...salesUnits, read: getSalesUnit },
  merchant: { ...merchants, read: (client, key, options) => getMerchant(client, identifierOf(key), options) },
  productOrder: { ...productOrders, read: getProductOrder },
}

export function readWebhooksOf(client: ManagementApiClient, msn: string, options: CallOptions): Promise<Rows<Json>> {
  return listWebhooks(client, { ...options, msn })
}

export const webhookKind = webhooks

function nameOf(text: string): string {
  return text.length > longestName ? `${text.slice(0, longestName - 1).toWellFormed()}…` : text
}

function orNull(value: string | undefined): string | null {
  return value ?? null
}

function merchantColumns(name: string | null) {
  return {
    merchant_name: name,
    merchant_sort_key: name === null ? null : sortKey(name),
  }
}

/** A list whose rows are named by one member. */
function namedBy(idMember: string): Pick<ListKind, 'idMember' | 'keyOfId' | 'keyOf'> {
  return { idMember, keyOfId: (id) => id, keyOf: (item) => idOf(item, idMember) ?? '' }
}

function identifierOf(key: string): { readonly scheme: string; readonly id: string } {
  const [scheme = '', id = ''] = key.split('/')
  return { scheme, id }
}
