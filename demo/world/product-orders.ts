import { businessId, schemes } from './markets.ts'
import { cyclic, type Random } from './random.ts'
import type { DemoProductOrder, DemoSalesUnit, Market } from './types.ts'

const productTypes = ['PAYMENT_INTEGRATION', 'CASHIER', 'CHECKOUT', 'LOGIN', 'DONATIONS']
const prefillStatuses = ['RECEIVED', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED', 'EXPIRED', 'COMPLETED', 'REJECTED']
const otherStatuses = ['RECEIVED', 'COMPLETED', 'REJECTED']
const finalStatuses = new Set(['EXPIRED', 'COMPLETED', 'REJECTED'])
const markets: Market[] = ['NO', 'DK', 'FI']

type Kind = { productOrderType: string; productType: string; status: string }

const everyKind: Kind[] = [
  ...productTypes.flatMap((productType) =>
    prefillStatuses.map((status) => ({ productOrderType: 'PREFILL', productType, status })),
  ),
  ...['TEMPLATE', 'MANUAL'].flatMap((productOrderType, shift) =>
    otherStatuses.map((status, index) => ({
      productOrderType,
      productType: cyclic(productTypes, index + shift * 2),
      status,
    })),
  ),
  { productOrderType: 'PREFILL', productType: 'CHECKOUT', status: 'ON_HOLD' },
  { productOrderType: 'PREFILL', productType: 'GIFT_CARDS', status: 'RECEIVED' },
]

/**
 * 38 orders: every product type with every status (prefilled), every status of template and manual orders, and two with
 * an undocumented status and product type.
 */
export function oneOrderOfEach(
  partnerId: string,
  salesUnits: readonly DemoSalesUnit[],
  random: Random,
): DemoProductOrder[] {
  return everyKind.map((kind, index) => toOrder(partnerId, kind, index, salesUnits, random))
}

function toOrder(
  partnerId: string,
  kind: Kind,
  index: number,
  salesUnits: readonly DemoSalesUnit[],
  random: Random,
): DemoProductOrder {
  const productOrderId = random.uuid()
  const market = cyclic(markets, index)
  const salesUnit = kind.status === 'COMPLETED' ? random.pick(salesUnits).body : undefined
  const live = kind.productOrderType === 'PREFILL' && !finalStatuses.has(kind.status)
  // Some merchants have sales units already, so that their names are known.
  const owner = salesUnit ?? (live && index % 3 === 0 ? cyclic(salesUnits, index).body : undefined)
  // Real responses have null for absent values in some cases, and leave the member out in others.
  const nothing = index % 2 === 0
  return {
    partnerId,
    body: {
      productOrderId,
      productOrderType: kind.productOrderType,
      productType: kind.productType,
      status: kind.status,
      businessIdentifier: owner
        ? { ...owner.businessIdentifier }
        : { scheme: schemes[market], id: businessId(market, Number(partnerId) % 7, index) },
      ...(live ? { productOrderUrl: `https://orders.example.com/order/${productOrderId}` } : {}),
      ...(!live && nothing ? { productOrderUrl: null } : {}),
      ...(salesUnit ? { salesUnit: { msn: salesUnit.msn, name: salesUnit.name } } : {}),
      ...(!salesUnit && nothing ? { salesUnit: null } : {}),
    },
  }
}

/** `count` orders of documented kinds, most of them prefilled. Needs at least one sales unit. */
export function manyOrders(
  partnerId: string,
  count: number,
  salesUnits: readonly DemoSalesUnit[],
  random: Random,
): DemoProductOrder[] {
  return Array.from({ length: count }, (_, index) => {
    const productOrderType = random.pick(['PREFILL', 'PREFILL', 'PREFILL', 'TEMPLATE', 'MANUAL'])
    const statuses = productOrderType === 'PREFILL' ? prefillStatuses : otherStatuses
    const kind = {
      productOrderType,
      productType: random.pick(productTypes),
      status: random.pick([...statuses, 'COMPLETED']),
    }
    return toOrder(partnerId, kind, index, salesUnits, random)
  })
}
