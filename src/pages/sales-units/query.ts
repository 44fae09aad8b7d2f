import { z } from 'zod'
import { pageNumber, searchText } from '../query.ts'

/** `?q=&page=` of the list of sales units. */
export const salesUnitFilter = z.object({ q: searchText, page: pageNumber })
