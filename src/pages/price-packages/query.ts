import { z } from 'zod'
import { listQuery, searchText } from '../lists/query.ts'

export const pricePackageColumns = ['market', 'name', 'product', 'commission'] as const

/** `?q=&product=&market=` of the list of price packages; `q` is part of a name, a price or an id. */
export const pricePackageQuery = listQuery(
  z.object({ q: searchText, product: searchText, market: searchText }),
  pricePackageColumns,
)
