import type { RequestHandler } from 'express'
import { NotFoundError } from '../../errors.ts'
import type { SalesUnit } from '../../management-api/sales-units.ts'
import { msnPattern, type Organisation } from '../../organisation.ts'
import { actingAs, pathParameter } from '../acting-as.ts'
import { optional } from '../optional.ts'
import type { PageDeps } from '../deps.ts'

/** The merchant and its sales units are an addition: without them the page still says what it came to say. */
const merchantOf = async (
  { merchants }: PageDeps['records'],
  organisation: Organisation,
  { businessIdentifier }: SalesUnit,
) => {
  const [reading, salesUnits] = await Promise.all([
    optional(merchants.get(organisation, businessIdentifier)),
    optional(merchants.salesUnits(organisation, businessIdentifier)),
  ])
  return { merchant: reading?.merchant, salesUnits }
}

/** The configuration as rows to show: the ones with words first, in the API's order; unknown ones too. */
const configurationOf = (configuration: SalesUnit['configuration'], has: (key: string) => boolean) =>
  Object.entries(configuration)
    .map(([name, value]) => ({ name, value, known: has(`configuration.${name}.name`) }))
    .toSorted((a, b) => Number(b.known) - Number(a.known))

/** `GET …/sales-units/:msn`: everything that is known of one sales unit. */
export const showSalesUnit =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (req, res) => {
    const msn = pathParameter(req, 'msn')
    if (!msnPattern.test(msn)) throw new NotFoundError('malformed MSN')
    const organisation = actingAs(res)
    const { salesUnit, readAt } = await records.salesUnits.get(organisation, msn)
    const { merchant, salesUnits } = await merchantOf(records, organisation, salesUnit)
    res.render('sales-units/detail', {
      title: salesUnit.name,
      salesUnit,
      configuration: configurationOf(salesUnit.configuration, res.locals.language.has),
      merchant,
      others: salesUnits?.rows.filter((other) => other.msn !== msn),
      skipped: salesUnits?.skipped ?? 0,
      readAt,
    })
  }
