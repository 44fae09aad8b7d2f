import type { RequestHandler } from 'express'
import { actingAs, listsHere } from '../request-state.ts'
import { productField } from '../lists/filter-fields.ts'
import type { PageDeps } from '../deps.ts'
import { listView } from '../lists/list-view.ts'
import { checkPage } from '../lists/query.ts'
import { pageOf } from '../lists/rows-in-memory.ts'
import { templateColumns, templateQuery } from './query.ts'
import { allTemplates, templatesFound } from './rows.ts'

/** `GET …/templates`: the partner's product order templates, or that the API does not share any yet. */
export function listTemplates({
  database: { kysely },
  freshness,
}: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const { filter, asked } = templateQuery(req)
    const partner = actingAs(res)
    const fresh = await freshness.list(partner, 'templates', listsHere(res))
    const rows = await allTemplates(kysely, partner)
    const page = pageOf(templatesFound(rows, filter, asked.sort), asked)
    checkPage(page)
    const { language } = res.locals
    const products = rows.flatMap(({ productType }) => productType ?? [])
    res.render('templates/list', {
      title: language.t('templates.title'),
      page,
      total: rows.length,
      fresh,
      list: listView({
        path: `${req.baseUrl}${req.path}`,
        filter,
        asked,
        columns: templateColumns,
        fields: [productField(language, products)],
        page,
      }),
    })
  }
}
