import type { RequestHandler } from 'express'
import { pricePackage } from '../../management-api/price-packages.ts'
import { productOrderTemplate } from '../../management-api/product-order-templates.ts'
import { findPricePackages, findTemplates } from '../../store/offers.ts'
import { actingAs, listsHere } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'

/** `GET …/templates`: the partner's product order templates, or that the API does not share any yet. */
export const listTemplates =
  ({ database: { kysely }, looking }: Pick<PageDeps, 'database' | 'looking'>): RequestHandler =>
  async (_req, res) => {
    const partner = actingAs(res)
    const fresh = await looking.list(partner, 'templates', listsHere(res))
    const [rows, packages] = await Promise.all([
      findTemplates(kysely, partner),
      findPricePackages(kysely, partner),
    ])
    // Without its price package a template still shows, with the id alone.
    const names = new Map(
      packages
        .map((row) => pricePackage.parse(row))
        .map(({ pricePackageId, name }) => [pricePackageId, name]),
    )
    res.render('templates/list', {
      title: res.locals.language.t('templates.title'),
      rows: rows
        .map((row) => productOrderTemplate.parse(row))
        .map((template) => ({
          ...template,
          pricePackageName: template.pricePackageId && names.get(template.pricePackageId),
        })),
      fresh,
    })
  }
