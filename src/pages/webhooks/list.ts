import { z } from 'zod'
import { type Webhook, webhook } from '../../management-api/webhooks.ts'
import {
  allWebhooks,
  findWebhooks,
  type StoredWebhook,
  type WebhookColumn,
  webhookProgress,
  webhooksOf,
} from '../../store/webhooks.ts'
import type { ListDefinition } from '../lists/list.ts'
import { searchText } from '../lists/query.ts'
import { inBatches } from '../lists/sheet.ts'

/** The most sales units that are counted; beyond that the page says "more than 1,000". */
const mostCounted = 1000

/** The list of webhook registrations: the organisation's own, and those of its sales units. */
export const webhookList: ListDefinition<WebhookRow, WebhookRow, { q: string }, WebhookColumn> = {
  noun: 'webhooks',
  resource: 'webhooks',
  filters: z.object({ q: searchText }),
  sorts: ['owner', 'url'],
  columns: [
    { label: 'webhooks.url', sort: 'url' },
    { label: 'webhooks.events' },
    { label: 'webhooks.owner', sort: 'owner' },
  ],
  rowView: 'webhooks/row',
  load: async ({ db, organisation, language: { t, format }, lists, filter, asked }) => {
    const [page, { unasked }] = await Promise.all([
      findWebhooks(db, organisation, filter, asked),
      webhookProgress(db, organisation),
    ])
    const many = t('common.moreThan', { count: format.number(mostCounted) })
    const notice = t('webhooks.partial', {
      unasked: unasked > mostCounted ? many : format.number(unasked),
      total: format.number(lists.get('salesUnits')?.total ?? 0),
    })
    return { page: { ...page, rows: page.rows.map(rowOf) }, total: null, ...(unasked > 0 ? { notice } : {}) }
  },
  exported: [
    { label: 'webhooks.id', cell: ({ id }) => id },
    { label: 'webhooks.url', cell: ({ url }) => url },
    { label: 'webhooks.events', cell: ({ events }) => events.join(' ') },
    { label: 'salesUnits.msn', cell: ({ salesUnit }) => salesUnit?.msn },
    { label: 'productOrders.salesUnit', cell: ({ salesUnit }) => salesUnit?.name },
  ],
  exportRows: async ({ db, organisation, filter, asked }) => {
    const keys = await allWebhooks(db, organisation, filter, asked.sort)
    return inBatches(keys, async (some) => (await webhooksOf(db, organisation, some)).map(rowOf))
  },
}

type WebhookRow = Webhook & { readonly salesUnit: { readonly msn: string; readonly name: string | null } | undefined }

function rowOf({ listed, msn, salesUnitName }: StoredWebhook): WebhookRow {
  return { ...webhook.parse(listed), salesUnit: msn === '' ? undefined : { msn, name: salesUnitName } }
}
