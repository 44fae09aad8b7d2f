import { z } from 'zod'
import type { ProductOrderColumn } from '../../store/product-orders.ts'
import { markets } from '../markets.ts'
import { choice, listQuery, searchText, ticked } from '../lists/query.ts'

export const productOrderColumns = [
  'urgency',
  'merchant',
  'status',
  'product',
  'type',
  'salesUnit',
  'seen',
] as const satisfies readonly ProductOrderColumn[]

/** `?q=&status=&type=&product=&market=&expired=1` of the list of product orders, which knows the other choices there are. */
export const productOrderQuery = listQuery(
  z.object({
    q: searchText,
    status: searchText,
    type: searchText,
    product: searchText,
    market: choice(markets),
    expired: ticked,
  }),
  productOrderColumns,
)
