import type { RequestHandler } from 'express'
import { UpstreamError } from '../../errors.ts'
import { httpUrl } from '../../management-api/parse.ts'
import type { Organisation } from '../../organisation.ts'
import { actingAs } from '../acting-as.ts'
import type { PageDeps } from '../routes.ts'

/** Names of price packages by id; without them a template still shows, with the id alone. */
const priceNames = async (
  { pricePackages }: PageDeps['records'],
  partner: Organisation,
): Promise<Map<string, string>> => {
  try {
    const { rows } = await pricePackages.find(partner)
    return new Map(rows.map(({ pricePackageId, name }) => [pricePackageId, name]))
  } catch (error) {
    if (error instanceof UpstreamError) return new Map()
    throw error
  }
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
          href: httpUrl(template.url),
          pricePackageName: template.pricePackageId && names.get(template.pricePackageId),
        })),
      },
    })
  }
