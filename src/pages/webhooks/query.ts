import { z } from 'zod'
import type { WebhookColumn } from '../../store/webhooks.ts'
import { listQuery, searchText } from '../lists/query.ts'

export const webhookColumns = ['owner', 'url'] as const satisfies readonly WebhookColumn[]

/** `?q=` of the list of webhooks, part of a URL or an id. */
export const webhookQuery = listQuery(z.object({ q: searchText }), webhookColumns)
