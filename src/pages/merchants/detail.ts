import type { RequestHandler, Response } from 'express'
import { NotFoundError } from '../../errors.ts'
import type { BusinessIdentifier } from '../../management-api/merchants.ts'
import { businessIdPattern, type Organisation, schemePattern } from '../../organisation.ts'
import { actingAs, pathParameter } from '../acting-as.ts'
import { optional } from '../optional.ts'
import type { PageDeps } from '../deps.ts'

const render = async (
  { merchants }: PageDeps['records'],
  organisation: Organisation,
  identifier: BusinessIdentifier,
  res: Response,
): Promise<void> => {
  const [{ merchant, readAt }, salesUnits] = await Promise.all([
    merchants.get(organisation, identifier),
    optional(merchants.salesUnits(organisation, identifier)),
  ])
  res.render('merchants/detail', {
    title: merchant.name,
    merchant,
    salesUnits: salesUnits?.rows,
    skipped: salesUnits?.skipped ?? 0,
    readAt,
  })
}

/** `GET /partners/:partnerId/merchants/:scheme/:id`: what the API shares of a merchant, and its sales units. */
export const showMerchant =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (req, res) => {
    const [scheme, id] = [pathParameter(req, 'scheme'), pathParameter(req, 'id')]
    if (!schemePattern.test(scheme) || !businessIdPattern.test(id))
      throw new NotFoundError('malformed identifier')
    await render(records, actingAs(res), { scheme, id }, res)
  }

/** `GET /merchants/:scheme/:id/details`: the same for the merchant the user acts as. */
export const showOwnMerchant =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (_req, res) => {
    const merchant = actingAs(res)
    if (merchant.kind !== 'merchant') throw new NotFoundError('not a merchant')
    await render(records, merchant, merchant, res)
  }
