import type { RequestHandler } from 'express'
import { actingAs } from '../acting-as.ts'
import { checkPage, pagerLinks, parseQuery } from '../query.ts'
import type { PageDeps } from '../deps.ts'
import { salesUnitFilter } from './query.ts'

/** `GET …/sales-units?q=&page=`: what the organisation sells through, 25 a page. */
export const listSalesUnits =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (req, res) => {
    const filter = parseQuery(salesUnitFilter, req)
    const list = await records.salesUnits.find(actingAs(res), filter)
    checkPage(list.page)
    res.render('sales-units/list', {
      title: res.locals.language.t('salesUnits.title'),
      list,
      filter,
      links: pagerLinks(list.page, { q: filter.q }),
    })
  }
