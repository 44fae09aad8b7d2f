import type { RequestHandler } from 'express'
import { webhook } from '../../management-api/webhooks.ts'
import { findWebhooks, webhookProgress } from '../../store/webhooks.ts'
import { actingAs, listsHere } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { listView } from '../lists/list-view.ts'
import { checkPage } from '../lists/query.ts'
import { webhookColumns, webhookQuery } from './query.ts'

/** `GET …/developers/webhooks`: every registration and whose it is. */
export function listWebhooks({
  database: { kysely },
  freshness,
}: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const { filter, asked } = webhookQuery(req)
    const organisation = actingAs(res)
    const lists = listsHere(res)
    const fresh = await freshness.list(organisation, 'webhooks', lists)
    const [page, { unasked }] = await Promise.all([
      findWebhooks(kysely, organisation, filter, asked),
      webhookProgress(kysely, organisation),
    ])
    checkPage(page)
    res.render('webhooks/list', {
      title: res.locals.language.t('webhooks.title'),
      page: {
        ...page,
        rows: page.rows.map(({ listed, msn, salesUnitName }) => ({
          ...webhook.parse(listed),
          salesUnit: msn === '' ? undefined : { msn, name: salesUnitName ?? msn },
        })),
      },
      fresh,
      unasked,
      salesUnits: lists.get('salesUnits')?.total ?? 0,
      list: listView({
        path: `${req.baseUrl}${req.path}`,
        filter,
        asked,
        columns: webhookColumns,
        fields: [],
        page,
      }),
    })
  }
}
