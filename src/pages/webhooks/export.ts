import { webhook } from '../../management-api/webhooks.ts'
import { allWebhooks, type StoredWebhook, webhooksOf } from '../../store/webhooks.ts'
import { actingAs } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { type Cells, inBatches, type SheetOf } from '../lists/sheet.ts'
import { webhookQuery } from './query.ts'

/** Every webhook that the filter finds; without MSN where it is the organisation's own. */
export function webhookSheet({ database: { kysely } }: Pick<PageDeps, 'database'>): SheetOf {
  return async (req, res) => {
    const { filter, asked } = webhookQuery(req)
    const organisation = actingAs(res)
    const { t } = res.locals.language
    const keys = await allWebhooks(kysely, organisation, filter, asked.sort)
    return {
      title: t('webhooks.title'),
      headings: [
        t('webhooks.id'),
        t('webhooks.url'),
        t('webhooks.events'),
        t('salesUnits.msn'),
        t('productOrders.salesUnit'),
      ],
      batches: inBatches(keys, async (some) => webhooksOf(kysely, organisation, some), cellsOf),
    }
  }
}

function cellsOf({ listed, msn, salesUnitName }: StoredWebhook): Cells {
  const { id, url, events } = webhook.parse(listed)
  return [id, url, events.join(' '), msn, salesUnitName ?? '']
}
