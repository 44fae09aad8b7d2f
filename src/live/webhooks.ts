import { UpstreamNotFoundError } from '../errors.ts'
import type { Rows } from '../management-api/parse.ts'
import { listWebhooks, type Webhook } from '../management-api/webhooks.ts'
import type { Organisation } from '../organisation.ts'
import { type Page, paginate } from '../paging.ts'
import { containing } from './matching.ts'
import { withPatience } from './patience.ts'
import type { SalesUnits } from './sales-units.ts'
import { createShelf } from './shelf.ts'
import type { Source } from './source.ts'

export type WebhookFilter = { readonly q: string; readonly page: number }

/** A registration and whose it is: the sales unit's, or the organisation's own where there is none. */
export type WebhookRow = Webhook & {
  readonly salesUnit: { readonly msn: string; readonly name: string } | undefined
}

export type WebhookList = {
  readonly page: Page<WebhookRow>
  readonly total: number
  /** Sales units there are, and how many of them have been asked for theirs: one call each. */
  readonly salesUnits: number
  readonly asked: number
  readonly skipped: number
  readonly readAt: number
}

export type Webhooks = {
  /** The organisation's own first, then those of its sales units by name; `q` is looked for in URL and id. */
  readonly find: (organisation: Organisation, filter: WebhookFilter) => Promise<WebhookList>
}

const own = ''
const nothing: Rows<Webhook> = { rows: [], skipped: 0 }

export const createWebhooks = ({ clientOf, ...options }: Source, salesUnits: SalesUnits): Webhooks => {
  const ownLists = createShelf<Rows<Webhook>>(
    // Sales unit keys would be answered with their sales unit's, which is asked with the others.
    async (organisation, _key, priority) => {
      const client = clientOf(organisation)
      return client.onlyMsn === undefined ? listWebhooks(client, { priority }) : nothing
    },
    { ...options, purpose: 'webhooks', maxAgeMs: 60_000 },
  )
  const lists = createShelf<Rows<Webhook>>(
    async (organisation, msn, priority) => {
      try {
        return await listWebhooks(clientOf(organisation), { msn, priority })
      } catch (error) {
        // Deactivated since the list was read.
        if (error instanceof UpstreamNotFoundError) return nothing
        throw error
      }
    },
    { ...options, purpose: 'webhooks', maxAgeMs: 60 * 60_000 },
  )

  return {
    find: async (organisation, filter) => {
      const [ownList, { rows: units }] = await Promise.all([
        ownLists.read(organisation, own),
        salesUnits.names(organisation),
      ])
      await withPatience(
        lists.readAhead(
          organisation,
          units.map(({ msn }) => msn),
        ),
      )
      const known = units.flatMap((salesUnit) => {
        const reading = lists.peek(organisation, salesUnit.msn)
        return reading ? [{ salesUnit, ...reading.value }] : []
      })
      const rows: WebhookRow[] = [
        ...ownList.value.rows.map((webhook) => ({ ...webhook, salesUnit: undefined })),
        ...known.flatMap(({ salesUnit, rows: webhooks }) =>
          webhooks.map((webhook) => ({ ...webhook, salesUnit })),
        ),
      ]
      const matches = containing(filter.q)
      return {
        page: paginate(
          rows.filter(({ url, id }) => matches([url, id])),
          filter.page,
        ),
        total: rows.length,
        salesUnits: units.length,
        asked: known.length,
        skipped: known.reduce((sum, { skipped }) => sum + skipped, ownList.value.skipped),
        readAt: ownList.readAt,
      }
    },
  }
}
