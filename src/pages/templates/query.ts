import { z } from 'zod'
import { listQuery, searchText } from '../lists/query.ts'

export const templateColumns = ['name', 'product', 'created'] as const

/** `?q=&product=` of the list of product order templates; `q` is part of a name or an id. */
export const templateQuery = listQuery(z.object({ q: searchText, product: searchText }), templateColumns)
