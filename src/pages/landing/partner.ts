import type { RequestHandler } from 'express'
import { UpstreamError } from '../../errors.ts'
import type { Organisation } from '../../organisation.ts'
import { actingAs } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'

/** A number that is there, is not there to be had, or could not be read just now. */
export type Count = {
  readonly key: string
  readonly path: string
  readonly value: number | undefined
  readonly failed: boolean
}

/** One resource that fails must not take the landing page with it. */
export const countOf = async (
  key: string,
  path: string,
  read: () => Promise<number | undefined>,
): Promise<Count> => {
  try {
    return { key, path, value: await read(), failed: false }
  } catch (error) {
    if (error instanceof UpstreamError) return { key, path, value: undefined, failed: true }
    throw error
  }
}

const countsOf = async (
  { salesUnits, pricePackages, templates }: PageDeps['records'],
  partner: Organisation,
) =>
  Promise.all([
    countOf('salesUnits', 'sales-units', async () => (await salesUnits.names(partner)).rows.length),
    countOf('pricePackages', 'price-packages', async () => (await pricePackages.find(partner)).rows.length),
    countOf('templates', 'templates', async () => (await templates.find(partner))?.rows.length),
  ])

const everything = { q: '', status: '', type: '', product: '', expired: true, page: 1 }

const ordersOf = async ({ productOrders }: PageDeps['records'], partner: Organisation) => {
  try {
    const { facets, total } = await productOrders.find(partner, everything)
    return { statuses: facets.status, total, failed: false }
  } catch (error) {
    if (error instanceof UpstreamError) return { statuses: [], total: 0, failed: true }
    throw error
  }
}

/** `GET /partners/:partnerId`: a welcome, what there is, orders by status, how to give feedback. */
export const showPartnerLanding =
  ({ records, config }: Pick<PageDeps, 'records' | 'config'>): RequestHandler =>
  async (_req, res) => {
    const partner = actingAs(res)
    const [counts, orders] = await Promise.all([countsOf(records, partner), ordersOf(records, partner)])
    res.render('landing/partner', {
      title: res.locals.language.t('landing.title'),
      counts,
      orders,
      feedbackUrl: config.feedbackUrl,
      supportText: config.supportText,
    })
  }
