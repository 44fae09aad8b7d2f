import type { RequestHandler } from 'express'
import { actingAs } from '../acting-as.ts'
import { checkPage, pagerLinks, parseQuery } from '../query.ts'
import type { PageDeps } from '../deps.ts'
import { webhookFilter } from './query.ts'

/** `GET …/developers/webhooks?q=&page=`: every registration and whose it is. */
export const listWebhooks =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (req, res) => {
    const filter = parseQuery(webhookFilter, req)
    const list = await records.webhooks.find(actingAs(res), filter)
    checkPage(list.page)
    res.render('webhooks/list', {
      title: res.locals.language.t('webhooks.title'),
      list,
      filter,
      links: pagerLinks(list.page, { q: filter.q }),
    })
  }
