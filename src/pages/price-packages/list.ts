import type { RequestHandler } from 'express'
import { actingAs, listsHere } from '../request-state.ts'
import { marketField, productField } from '../lists/filter-fields.ts'
import type { PageDeps } from '../deps.ts'
import { listView } from '../lists/list-view.ts'
import { checkPage } from '../lists/query.ts'
import { pageOf } from '../lists/rows-in-memory.ts'
import { pricePackageColumns, pricePackageQuery } from './query.ts'
import { allPricePackages, pricePackagesFound } from './rows.ts'

/** `GET …/price-packages`: all of the partner's, with commission and id. */
export function listPricePackages({ database, freshness }: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const { filter, asked } = pricePackageQuery(req)
    const partner = actingAs(res)
    const fresh = await freshness.list(partner, 'pricePackages', listsHere(res))
    const rows = await allPricePackages(database.kysely, partner)
    const page = pageOf(pricePackagesFound(rows, filter, asked.sort), asked)
    checkPage(page)
    const { language } = res.locals
    const products = rows.flatMap(({ productType }) => productType ?? [])
    const markets = rows.flatMap(({ market }) => market ?? [])
    res.render('price-packages/list', {
      title: language.t('pricePackages.title'),
      page,
      total: rows.length,
      fresh,
      list: listView({
        path: `${req.baseUrl}${req.path}`,
        filter,
        asked,
        columns: pricePackageColumns,
        fields: [productField(language, products), marketField(language, markets)],
        page,
      }),
    })
  }
}
