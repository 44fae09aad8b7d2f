import type { RequestHandler, Response } from 'express'
import { BeingReadError, NotFoundError, NotSharedError } from '../../errors.ts'
import { type BusinessIdentifier, merchant } from '../../management-api/merchants.ts'
import { businessIdPattern, type Organisation, schemePattern } from '../../organisation.ts'
import { findMerchant } from '../../store/merchants.ts'
import { salesUnitsOfMerchant } from '../../store/sales-units.ts'
import { actingAs, listsHere, pathParameter } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'

type Deps = Pick<PageDeps, 'database' | 'looking'>

/** Sales units on the page; a link leads to all. */
const mostSalesUnits = 50

const render = async (
  { database, looking }: Deps,
  organisation: Organisation,
  identifier: BusinessIdentifier,
  res: Response,
): Promise<void> => {
  const { kysely } = database
  const fresh = await looking.one(organisation, 'merchant', `${identifier.scheme}/${identifier.id}`)
  const [stored, salesUnits] = await Promise.all([
    findMerchant(kysely, organisation, identifier),
    salesUnitsOfMerchant(kysely, organisation, identifier, mostSalesUnits + 1),
  ])
  const words = `${identifier.scheme}:${identifier.id}`
  if (!stored && fresh.isBeingRead) throw new BeingReadError(`merchant ${words}`)
  if (!stored || stored.goneAt) throw new NotSharedError('merchantNotShared', words)
  const details = merchant.parse(stored.details)
  const list = listsHere(res).get('salesUnits')
  res.render('merchants/detail', {
    title: details.name,
    merchant: details,
    salesUnits: salesUnits.slice(0, mostSalesUnits),
    moreSalesUnits: salesUnits.length > mostSalesUnits,
    // While sales units have not been read in full, nobody knows which of them are this merchant's.
    isPartial: !list?.checkedAt || (list.done ?? 0) < (list.total ?? 0),
    fresh,
  })
}

/** `GET /partners/:partnerId/merchants/:scheme/:id`: what the API shares of a merchant, and its sales units. */
export const showMerchant =
  (deps: Deps): RequestHandler =>
  async (req, res) => {
    const [scheme, id] = [pathParameter(req, 'scheme'), pathParameter(req, 'id')]
    if (!schemePattern.test(scheme) || !businessIdPattern.test(id))
      throw new NotFoundError('malformed identifier')
    await render(deps, actingAs(res), { scheme, id }, res)
  }

/** `GET /merchants/:scheme/:id/details`: the same for the merchant the user acts as. */
export const showOwnMerchant =
  (deps: Deps): RequestHandler =>
  async (_req, res) => {
    const own = actingAs(res)
    if (own.kind !== 'merchant') throw new NotFoundError('not a merchant')
    await render(deps, own, own, res)
  }
