import type { RequestHandler, Response } from 'express'
import { merchantKey } from '../../domain/business-identifier.ts'
import type { Merchant } from '../../domain/organisation.ts'
import { NotFoundError } from '../../errors.ts'
import { readStored } from '../../management-api/lenient.ts'
import { merchant } from '../../management-api/merchants.ts'
import type { Handle } from '../../store/database.ts'
import { findMerchant } from '../../store/merchants.ts'
import { everySalesUnit, findSalesUnits } from '../../store/sales-units.ts'
import { findVisit } from '../../store/visits.ts'
import { findWebhooks, webhookProgress } from '../../store/webhooks.ts'
import type { PageDeps } from '../deps.ts'
import { seesDevelopers } from '../history.ts'
import { actingAs, listsHere, signedIn } from '../request-state.ts'
import { listedWebhook } from '../webhooks/list.ts'
import { aboutOf } from './about.ts'
import { optionalList } from './partner.ts'
import { sinceLastVisit } from './since.ts'

const mostShown = 10
const firstPage = { page: 1, size: 25 } as const

/** `GET /merchants/:scheme/:id`: the business portal's landing page, with sales units, details and webhooks. */
export function showMerchantLanding({ database, freshness }: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  const db = database.pages
  return async (req, res) => {
    const own = actingAs(res)
    if (own.kind !== 'merchant') throw new NotFoundError('not a merchant')
    const lists = listsHere(res)
    const [fresh] = await Promise.all([
      optionalList(freshness, own, 'salesUnits', lists),
      seesDevelopers(res) ? optionalList(freshness, own, 'webhooks', lists) : undefined,
    ])
    const stored = await findMerchant(db, own, own)
    const details = stored && !stored.removedAt ? readStored(merchant, stored.details) : undefined
    if (!stored) freshness.requestUnread(own, 'merchant', [merchantKey(own)])
    const visit = await findVisit(db, own, signedIn(req).id)
    const { scheme, id, name } = own
    res.render('landing/merchant', {
      title: res.locals.language.t('landing.title'),
      about: aboutOf(req, res, visit),
      since: await sinceLastVisit(db, res, visit.lastAt),
      salesUnits: await unitsOf(db, res, own, fresh?.total ?? undefined),
      webhooks: seesDevelopers(res) ? await webhooksOf(db, res, own, fresh?.total ?? 0) : undefined,
      merchant: { name, ...details, businessIdentifier: { scheme, id } },
      areDetailsRead: details !== undefined,
      isFailed: fresh === undefined,
      isUnread: fresh?.isBeingRead === true && fresh.total === null,
      fresh,
    })
  }
}

/** The first sales units by name, and which columns tell them apart. */
async function unitsOf(db: Handle, res: Response, own: Merchant, known: number | undefined) {
  const { code, format } = res.locals.language
  const sort = { column: 'name', descending: false, language: code } as const
  const { rows, total, more } = await findSalesUnits(db, own, everySalesUnit, { ...firstPage, sort, total: known })
  const shown = rows.slice(0, mostShown)
  return {
    rows: shown,
    total,
    more,
    path: 'sales-units',
    hasDates: new Set(shown.map(({ firstSeenAt }) => format.isoDay(firstSeenAt))).size > 1,
    hasFeatures: shown.some(
      ({ paymentAllowed, recurringAllowed, captureType }) =>
        paymentAllowed === false || recurringAllowed === true || captureType === 'DirectCapture',
    ),
  }
}

/** The first webhooks; their owner is a column when there are others than the merchant. */
async function webhooksOf(db: Handle, res: Response, own: Merchant, salesUnits: number) {
  const { language } = res.locals
  const sort = { column: 'owner', descending: false } as const
  const { rows, total, more } = await findWebhooks(db, own, { q: '' }, { ...firstPage, sort })
  const shown = rows.slice(0, mostShown).map(listedWebhook(language))
  const { unasked } = await webhookProgress(db, own)
  const counts = { unasked: language.format.number(unasked), total: language.format.number(salesUnits) }
  return {
    rows: shown,
    total,
    more,
    path: 'developers/webhooks',
    notice: unasked === 0 ? '' : language.t('webhooks.partial', counts),
    hasOwners: shown.some(({ salesUnit }) => salesUnit !== undefined),
  }
}
