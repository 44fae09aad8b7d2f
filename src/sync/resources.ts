import type { CallOptions, ListOptions, ManagementApiClient } from '../management-api/client.ts'
import { readStored } from '../management-api/lenient.ts'
import { getMerchant, merchant } from '../management-api/merchants.ts'
import { lowerUuid, type Rows } from '../management-api/parse.ts'
import { listPricePackages, pricePackageIdIn } from '../management-api/price-packages.ts'
import { listProductOrderTemplates } from '../management-api/product-order-templates.ts'
import { getProductOrder, listProductOrders, productOrder } from '../management-api/product-orders.ts'
import { getSalesUnit, listSalesUnits, salesUnit, salesUnitListItem } from '../management-api/sales-units.ts'
import { listWebhooks, webhook } from '../management-api/webhooks.ts'
import { merchantIdentifier, merchantKey } from '../domain/business-identifier.ts'
import { unknownStatus } from '../domain/product-order.ts'
import type { Organisation } from '../domain/organisation.ts'
import { type DetailResource, type ListResource, listResources } from '../store/sync-state.ts'
import type { DerivedColumns, Json, RecordTable } from '../store/records.ts'

/** A table of records: its resource in the history, and its derived columns. */
export type Kind = {
  readonly table: RecordTable
  readonly resource: string
  /** The derived columns of the current record; `merchantName` when known. */
  readonly derive: (current: Json, key: string, merchantName: string | null) => DerivedColumns
}

/** The maximum length of an indexed name; details show the full name. */
const longestName = 200

/** Created once: creating a schema per row would dominate the cost of the row. */
const knownSalesUnit = salesUnitListItem.extend({ businessIdentifier: salesUnit.shape.businessIdentifier })

const salesUnits: Kind = {
  table: 'sales_units',
  resource: 'salesUnit',
  derive: (current, key, merchantName) => {
    const { name = key, businessIdentifier } = readStored(knownSalesUnit, current)
    return {
      name: nameOf(name),
      scheme: orNull(businessIdentifier?.scheme),
      business_id: orNull(businessIdentifier?.id),
      merchant_name: merchantName,
      api_price_package_id: orNull(pricePackageIdIn(current)),
    }
  },
}

const merchants: Kind = {
  table: 'merchants',
  resource: 'merchant',
  derive: (current, key) => {
    const { name = merchantIdentifier(key).id } = readStored(merchant, current)
    return { name: nameOf(name) }
  },
}

const productOrders: Kind = {
  table: 'product_orders',
  resource: 'productOrder',
  derive: (current, _key, merchantName) => {
    const order = readStored(productOrder, current)
    return {
      status: order.status ?? unknownStatus,
      product_order_type: orNull(order.productOrderType),
      product_type: orNull(order.productType),
      scheme: orNull(order.businessIdentifier?.scheme),
      business_id: orNull(order.businessIdentifier?.id),
      merchant_name: merchantName,
      msn: orNull(order.salesUnit?.msn),
      sales_unit_name: order.salesUnit?.name === undefined ? null : nameOf(order.salesUnit.name),
      price_package_id: orNull(pricePackageIdIn(current)),
    }
  },
}

const pricePackages: Kind = {
  table: 'price_packages',
  resource: 'pricePackage',
  derive: () => ({}),
}

const templates: Kind = {
  table: 'templates',
  resource: 'template',
  derive: () => ({}),
}

const webhooks: Kind = {
  table: 'webhooks',
  resource: 'webhook',
  derive: (current, key) => {
    const { url = '', id } = readStored(webhook, current)
    return { url, id, msn: key.split('/')[0] ?? '' }
  },
}

/** A list: how to read it, and the keys of its rows. */
export type ListKind = Kind & {
  /** The id member of a row, readable also in a malformed row, and the row's key for an id. */
  readonly idMember: string
  readonly keyOfId: (id: string) => string
  readonly read: (client: ManagementApiClient, options: ListOptions) => Promise<Rows<Json>>
  readonly keyOf: (item: Json) => string
  /** Webhooks: the owner of the list, '' for the organisation. */
  readonly msn?: string
}

/** The id of a row that may be malformed; undefined when it has none. */
export function idOf(row: unknown, idMember: string): string | undefined {
  const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, idMember) : undefined
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

/** The key of a webhook: `msn/id`. */
export function webhookKey(msn: string, item: Json): string {
  return `${msn}/${idOf(item, 'id') ?? ''}`
}

/** All lists, by resource. */
export const lists: Readonly<Record<ListResource, ListKind>> = {
  salesUnits: { ...salesUnits, ...namedBy('msn'), read: listSalesUnits },
  productOrders: {
    ...productOrders,
    idMember: 'productOrderId',
    keyOfId: lowerUuid,
    // The API omits expired orders by default; the portal keeps them as history.
    read: (client, options) => listProductOrders(client, { ...options, includeExpired: true }),
    keyOf: (item) => {
      const { productOrderId, businessIdentifier, productOrderType, productType } = readStored(productOrder, item)
      // An order without an id gets a key of its immutable members; it has an identifier, which its schema demands.
      const owner = businessIdentifier ? merchantKey(businessIdentifier) : ''
      return productOrderId ?? `~${owner}/${productOrderType}/${productType}`
    },
  },
  pricePackages: { ...pricePackages, ...namedBy('pricePackageId'), read: listPricePackages },
  templates: { ...templates, ...namedBy('templateId'), read: listProductOrderTemplates },
  webhooks: {
    ...webhooks,
    idMember: 'id',
    keyOfId: (id) => `/${lowerUuid(id)}`,
    read: listWebhooks,
    keyOf: (item) => webhookKey('', item),
    msn: '',
  },
}

/** The lists of an organisation; partner-only endpoints are left out for merchants. */
export function listsOf(organisation: Organisation): ListResource[] {
  return organisation.kind === 'partner' ? [...listResources] : ['salesUnits', 'webhooks']
}

/** Details that are read record by record. */
type One = Exclude<DetailResource, 'salesUnitWebhooks'>

/** Details by resource; the webhooks of a sales unit are a list, see `readWebhooksOf`. */
export const details: Readonly<
  Record<
    One,
    Kind & {
      readonly read: (client: ManagementApiClient, key: string, options: CallOptions) => Promise<Json>
    }
  >
> = {
  salesUnit: { ...salesUnits, read: getSalesUnit },
  merchant: { ...merchants, read: (client, key, options) => getMerchant(client, merchantIdentifier(key), options) },
  productOrder: { ...productOrders, read: getProductOrder },
}

/** Reads the webhooks of one sales unit. */
export function readWebhooksOf(client: ManagementApiClient, msn: string, options: CallOptions): Promise<Rows<Json>> {
  return listWebhooks(client, { ...options, msn })
}

/** The table of webhooks. */
export const webhookKind = webhooks

function nameOf(text: string): string {
  return text.length > longestName ? `${text.slice(0, longestName - 1).toWellFormed()}…` : text
}

function orNull(value: string | undefined): string | null {
  return value ?? null
}

/** The keys of a list whose rows are identified by one member. */
function namedBy(idMember: string): Pick<ListKind, 'idMember' | 'keyOfId' | 'keyOf'> {
  return { idMember, keyOfId: lowerUuid, keyOf: (item) => idOf(item, idMember) ?? '' }
}
