import type { RequestHandler, Response } from 'express'
import { merchantKey } from '../../domain/business-identifier.ts'
import { BeingReadError, GoneError, NotFoundError, NotSharedError } from '../../errors.ts'
import { readStored } from '../../management-api/lenient.ts'
import { type BusinessIdentifier, merchant } from '../../management-api/merchants.ts'
import { isMerchantIdentifier, type Organisation } from '../../domain/organisation.ts'
import { findMerchant, findMerchantSummary, type MerchantSummary } from '../../store/merchants.ts'
import type { Freshness, FreshnessService, Lists } from '../../sync/freshness.ts'
import type { PageDeps } from '../deps.ts'
import { historyOf } from '../history.ts'
import { relatedOrders, relatedSalesUnits, relatedWebhooks } from '../related.ts'
import { actingAs, listsHere, pathParameter } from '../request-state.ts'
import { merchantName } from './list.ts'

type Deps = Pick<PageDeps, 'database' | 'freshness'>

/** `GET /partners/:partnerId/merchants/:scheme/:id`: a merchant with its sales units, orders, webhooks and history. */
export function showMerchant(deps: Deps): RequestHandler {
  return async (req, res) => {
    const identifier = { scheme: pathParameter(req, 'scheme'), id: pathParameter(req, 'id') }
    if (!storable.test(identifier.scheme) || !storable.test(identifier.id))
      throw new NotFoundError('malformed identifier')
    const summary = await findMerchantSummary(deps.database.pages, actingAs(res), identifier)
    // An order may have an identifier that the API cannot be asked for.
    if (!summary && !isMerchantIdentifier(identifier)) throw new NotFoundError('malformed identifier')
    await render(deps, actingAs(res), { ...identifier, summary }, res)
  }
}

/** What an identifier in the store can be. */
const storable = /^\P{Cc}{1,100}$/u

type Asked = BusinessIdentifier & { readonly summary?: MerchantSummary | undefined }

async function render({ database, freshness }: Deps, organisation: Organisation, asked: Asked, res: Response) {
  const db = database.pages
  const { scheme, id, summary } = asked
  const key = merchantKey(asked)
  const lists = listsHere(res)
  // Until all sales units are read in full, it is unknown which belong to this merchant.
  const list = lists.get('salesUnits')
  const isPartial = !list?.checkedAt || (list.done ?? 0) < (list.total ?? 0)
  const isListed = summary !== undefined && summary.salesUnits + summary.orders > 0
  if (organisation.kind === 'partner' && !isListed && !isPartial) throw absent(asked)
  const fresh = await freshnessOf(freshness, organisation, asked, lists, isListed)
  const stored = await findMerchant(db, organisation, asked)
  if (!isListed && !stored) throw fresh.isBeingRead ? new BeingReadError(`merchant ${key}`) : absent(asked)
  if (!isListed && stored?.removedAt) throw absent(asked, stored.removedAt)
  // What the API no longer shares is not shown, but for the name.
  const details = stored && !stored.removedAt ? readStored(merchant, stored.details) : undefined
  const name = details?.name ?? merchantName({ scheme, id, name: summary?.name ?? null })
  const { language, role } = res.locals
  const related = { db, organisation, language, role }
  const salesUnits = await relatedSalesUnits(related, key)
  const orders = organisation.kind === 'partner' ? await relatedOrders(related, { merchant: key }) : undefined
  const webhooks = await relatedWebhooks(related, { merchant: key })
  const history = await historyOf({ database }, res, 'merchant', key)
  const identifier = { scheme, id }
  const title = name === merchantName({ ...identifier, name: null }) ? name : `${name} (${id})`
  res.render('merchants/detail', {
    title,
    merchant: { ...details, name, businessIdentifier: identifier },
    areDetailsRead: details !== undefined,
    hasUnits: (summary?.salesUnits ?? 0) > 0,
    changedAt: summary?.changedAt,
    salesUnits,
    orders,
    webhooks,
    history,
    isPartial,
    fresh,
  })
}

/** A merchant without sales units is not shared: its page is as fresh as the list of orders. */
async function freshnessOf(
  freshness: FreshnessService,
  organisation: Organisation,
  asked: Asked,
  lists: Lists,
  isListed: boolean,
): Promise<Freshness> {
  const orders = lists.get('productOrders')
  if (isListed && asked.summary?.salesUnits === 0 && orders) return orders
  return freshness.record(organisation, 'merchant', merchantKey(asked), { isShown: isListed })
}

/** Never there, or not any more. */
function absent({ scheme, id, summary }: Asked, removedAt = summary?.changedAt): Error {
  const words = `${scheme}:${id}`
  if (!removedAt) return new NotSharedError('merchantNotShared', words)
  const title = merchantName({ scheme, id, name: summary?.name ?? null })
  return new GoneError('merchantGone', { title, key: words, removedAt })
}

/** `GET /merchants/:scheme/:id/details`: the same for the merchant the user acts as. */
export function showOwnMerchant(deps: Deps): RequestHandler {
  return async (_req, res) => {
    const own = actingAs(res)
    if (own.kind !== 'merchant') throw new NotFoundError('not a merchant')
    await render(deps, own, own, res)
  }
}
