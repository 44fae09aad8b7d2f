import { z } from 'zod'
import { pageNumber, searchText } from '../query.ts'

/** `?q=&page=` of the list of webhooks; `q` is part of a URL or an id. */
export const webhookFilter = z.object({ q: searchText, page: pageNumber })
