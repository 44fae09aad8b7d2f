import { z } from 'zod'
import { choice, pageNumber, searchText } from '../query.ts'

/** `?q=&status=&type=&product=&expired=1&page=` of the list of product orders. */
export const productOrderFilter = z.object({
  q: searchText,
  status: choice,
  type: choice,
  product: choice,
  expired: z
    .enum(['', '1'])
    .default('')
    .transform((value) => value === '1'),
  page: pageNumber,
})
