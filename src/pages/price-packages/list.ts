import type { RequestHandler } from 'express'
import { actingAs } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'

/** `GET …/price-packages`: all of the partner's, with commission and id. */
export const listPricePackages =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (_req, res) => {
    const list = await records.pricePackages.find(actingAs(res))
    res.render('price-packages/list', { title: res.locals.language.t('pricePackages.title'), list })
  }
