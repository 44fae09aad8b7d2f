import { identifierText } from '../../domain/business-identifier.ts'
import { soonDays, unknownStatus } from '../../domain/product-order.ts'
import { readStored } from '../../management-api/lenient.ts'
import { productOrder } from '../../management-api/product-orders.ts'
import type { Language } from '../../presentation/language.ts'
import type { StoredProductOrder } from '../../store/product-orders.ts'

/** A product order as pages show it. */
export type ProductOrder = ReturnType<typeof orderOf>

/** An order as the API last showed it. `state` is its status, or NOT_OPENED when its merchant has yet to open the link. */
export function orderOf({ listed, details, ...stored }: StoredProductOrder) {
  const { status = unknownStatus, ...order } = readStored(productOrder, { ...listed, ...details })
  return { ...stored, ...order, status, state: orderState(status, order.productOrderType) }
}

/** The state of an order with this status: the status, but NOT_OPENED for a prefilled order that was only received. */
export function orderState(status: string, productOrderType: string | null | undefined): string {
  return status === 'RECEIVED' && productOrderType === 'PREFILL' ? 'NOT_OPENED' : status
}

/** What an order is for and for which merchant, such as "Cashier for Café Ørsta AS". */
export function orderName(
  {
    productType,
    productOrderId,
    ...order
  }: Pick<ProductOrder, 'productType' | 'merchantName' | 'businessIdentifier' | 'productOrderId'>,
  { t, labelOfCode }: Language,
): string {
  const merchant = merchantOf(order) ?? productOrderId ?? ''
  if (productType === undefined) return merchant
  return t('productOrder.name', { product: labelOfCode(`productType.${productType}`, productType), merchant })
}

/** The name of an order's merchant, or its business identifier. */
export function merchantOf({
  merchantName,
  businessIdentifier,
}: Pick<ProductOrder, 'merchantName' | 'businessIdentifier'>): string | undefined {
  return merchantName ?? (businessIdentifier && identifierText(businessIdentifier))
}

/** When the link of an order ends, in words. */
export type Expiry = {
  /** "in 2 days", and the date, "30 Nov". */
  readonly text: string
  readonly date: string
  readonly days: number
  readonly isSoon: boolean
  readonly isOver: boolean
}

/** When a link ends, in words; undefined without an end. */
export function expiryOf(expiresAt: Date | null, { t, format }: Language): Expiry | undefined {
  if (!expiresAt) return undefined
  const days = format.daysTo(expiresAt)
  const isOver = expiresAt.getTime() <= Date.now()
  return {
    text: isOver ? t('productOrders.ended') : format.inDays(days),
    date: format.shortDay(expiresAt),
    days,
    isSoon: !isOver && days <= soonDays,
    isOver,
  }
}
