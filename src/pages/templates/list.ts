import type { RequestHandler } from 'express'
import type { Organisation } from '../../organisation.ts'
import { actingAs } from '../acting-as.ts'
import { optional } from '../optional.ts'
import type { PageDeps } from '../deps.ts'

/** Names of price packages by id; without them a template still shows, with the id alone. */
const priceNames = async (
  { pricePackages }: PageDeps['records'],
  partner: Organisation,
): Promise<Map<string, string>> => {
  const list = await optional(pricePackages.find(partner))
  return new Map(list?.rows.map(({ pricePackageId, name }) => [pricePackageId, name]))
}

/** `GET …/templates`: the partner's product order templates, or that the API does not share any yet. */
export const listTemplates =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (_req, res) => {
    const partner = actingAs(res)
    const [list, names] = await Promise.all([records.templates.find(partner), priceNames(records, partner)])
    res.render('templates/list', {
      title: res.locals.language.t('templates.title'),
      list: list && {
        ...list,
        rows: list.rows.map((template) => ({
          ...template,
          pricePackageName: template.pricePackageId && names.get(template.pricePackageId),
        })),
      },
    })
  }
