import type { RequestHandler, Response } from 'express'
import { identifierText, merchantKey } from '../../domain/business-identifier.ts'
import { BeingReadError, GoneError, NotFoundError, NotSharedError } from '../../errors.ts'
import { readStored } from '../../management-api/lenient.ts'
import { type BusinessIdentifier, merchant } from '../../management-api/merchants.ts'
import { businessIdPattern, type Organisation, schemePattern } from '../../domain/organisation.ts'
import { findMerchant } from '../../store/merchants.ts'
import { salesUnitsOfMerchant } from '../../store/sales-units.ts'
import { actingAs, listsHere, pathParameter } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'

type Deps = Pick<PageDeps, 'database' | 'freshness'>

/** The most sales units that the page shows; a link leads to all. */
const mostSalesUnits = 50

/** `GET /partners/:partnerId/merchants/:scheme/:id`: a merchant as the API shares it, and its sales units. */
export function showMerchant(deps: Deps): RequestHandler {
  return async (req, res) => {
    const [scheme, id] = [pathParameter(req, 'scheme'), pathParameter(req, 'id')]
    if (!schemePattern.test(scheme) || !businessIdPattern.test(id)) throw new NotFoundError('malformed identifier')
    await render(deps, actingAs(res), { scheme, id }, res)
  }
}

async function render(
  { database, freshness }: Deps,
  organisation: Organisation,
  identifier: BusinessIdentifier,
  res: Response,
): Promise<void> {
  const db = database.pages
  const words = `${identifier.scheme}:${identifier.id}`
  const list = listsHere(res).get('salesUnits')
  // Until all sales units are read in full, it is unknown which belong to this merchant.
  const isPartial = !list?.checkedAt || (list.done ?? 0) < (list.total ?? 0)
  const salesUnits = await salesUnitsOfMerchant(db, organisation, identifier, mostSalesUnits + 1)
  // The API shares a merchant with a partner only while the merchant has sales units there.
  if (organisation.kind === 'partner' && salesUnits.length === 0 && !isPartial)
    throw new NotSharedError('merchantNotShared', words)
  const fresh = await freshness.record(organisation, 'merchant', merchantKey(identifier))
  const stored = await findMerchant(db, organisation, identifier)
  if (!stored && fresh.isBeingRead) throw new BeingReadError(`merchant ${words}`)
  if (!stored) throw new NotSharedError('merchantNotShared', words)
  const details = readStored(merchant, stored.details)
  const { name = identifierText(identifier) } = details
  if (stored.removedAt)
    throw new GoneError('merchantGone', {
      title: name,
      key: identifierText(identifier),
      removedAt: stored.removedAt,
    })
  res.render('merchants/detail', {
    title: details.name === undefined ? name : `${name} (${identifierText(identifier)})`,
    merchant: { ...details, name },
    salesUnits: salesUnits.slice(0, mostSalesUnits),
    moreSalesUnits: salesUnits.length > mostSalesUnits,
    isPartial,
    fresh,
  })
}

/** `GET /merchants/:scheme/:id/details`: the same for the merchant the user acts as. */
export function showOwnMerchant(deps: Deps): RequestHandler {
  return async (_req, res) => {
    const own = actingAs(res)
    if (own.kind !== 'merchant') throw new NotFoundError('not a merchant')
    await render(deps, own, own, res)
  }
}
