import type { RequestHandler } from 'express'
import { pricePackage } from '../../management-api/price-packages.ts'
import { findPricePackages } from '../../store/offers.ts'
import { actingAs, listsHere } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'

/** `GET …/price-packages`: all of the partner's, with commission and id. */
export const listPricePackages =
  ({ database, looking }: Pick<PageDeps, 'database' | 'looking'>): RequestHandler =>
  async (_req, res) => {
    const partner = actingAs(res)
    const fresh = await looking.list(partner, 'pricePackages', listsHere(res))
    const rows = await findPricePackages(database.kysely, partner)
    res.render('price-packages/list', {
      title: res.locals.language.t('pricePackages.title'),
      rows: rows.map((row) => pricePackage.parse(row)),
      fresh,
    })
  }
