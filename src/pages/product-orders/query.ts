import { z } from 'zod'
import { pageNumber, searchText } from '../query.ts'

/** `?q=&status=&type=&product=&expired=1&page=` of the list of product orders; the list knows which choices there are. */
export const productOrderFilter = z.object({
  q: searchText,
  status: searchText,
  type: searchText,
  product: searchText,
  expired: z
    .enum(['', '1'])
    .default('')
    .transform((value) => value === '1'),
  page: pageNumber,
})
