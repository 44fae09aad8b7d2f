import type { RequestHandler } from 'express'
import { webhook } from '../../management-api/webhooks.ts'
import { findWebhooks, webhookProgress } from '../../store/webhooks.ts'
import { actingAs, listsHere } from '../acting-as.ts'
import { checkPage, pagerLinks, parseQuery } from '../query.ts'
import type { PageDeps } from '../deps.ts'
import { webhookFilter } from './query.ts'

/** `GET …/developers/webhooks?q=&page=`: every registration and whose it is. */
export const listWebhooks =
  ({ database: { kysely }, looking }: Pick<PageDeps, 'database' | 'looking'>): RequestHandler =>
  async (req, res) => {
    const filter = parseQuery(webhookFilter, req)
    const organisation = actingAs(res)
    const lists = listsHere(res)
    const fresh = await looking.list(organisation, 'webhooks', lists)
    const [page, { unasked }] = await Promise.all([
      findWebhooks(kysely, organisation, filter),
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
      filter,
      links: pagerLinks(page, { q: filter.q }),
    })
  }
