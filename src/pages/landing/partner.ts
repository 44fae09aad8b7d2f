import type { RequestHandler } from 'express'
import { UpstreamError } from '../../errors.ts'
import type { Organisation } from '../../organisation.ts'
import type { ListResource } from '../../store/readings.ts'
import type { Freshness, Lists } from '../../sync/looking.ts'
import { actingAs, listsHere } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'
import { facetsOf } from '../product-orders/facets.ts'

/** A list's freshness; undefined when it has never been read and cannot be: the landing page does without it. */
export const optionalList = async (
  looking: PageDeps['looking'],
  organisation: Organisation,
  resource: ListResource,
  lists: Lists,
): Promise<Freshness | undefined> => {
  try {
    return await looking.list(organisation, resource, lists)
  } catch (error) {
    if (error instanceof UpstreamError) return undefined
    throw error
  }
}

/** A number that is there, or why it is not: not shared, being read, or could not be read. */
export type Count = {
  readonly key: string
  readonly path: string
  readonly value: number | undefined
  readonly missing: 'notShared' | 'beingRead' | 'failed' | undefined
}

/** A list's number of rows for the landing page. */
export const countOf = (key: string, path: string, fresh: Freshness | undefined): Count => {
  const missing = !fresh
    ? 'failed'
    : !fresh.available
      ? 'notShared'
      : fresh.total === null
        ? 'beingRead'
        : undefined
  return { key, path, value: missing ? undefined : (fresh?.total ?? undefined), missing }
}

/** `GET /partners/:partnerId`: a welcome, what there is, orders by status, how to give feedback. */
export const showPartnerLanding =
  ({ looking, config }: Pick<PageDeps, 'looking' | 'config'>): RequestHandler =>
  async (_req, res) => {
    const partner = actingAs(res)
    const lists = listsHere(res)
    const [salesUnits, pricePackages, templates, orders] = await Promise.all(
      (['salesUnits', 'pricePackages', 'templates', 'productOrders'] as const).map((resource) =>
        optionalList(looking, partner, resource, lists),
      ),
    )
    res.render('landing/partner', {
      title: res.locals.language.t('landing.title'),
      counts: [
        countOf('salesUnits', 'sales-units', salesUnits),
        countOf('pricePackages', 'price-packages', pricePackages),
        countOf('templates', 'templates', templates),
      ],
      orders: {
        statuses: facetsOf(orders).status,
        failed: orders === undefined,
        isBeingRead: orders?.isBeingRead ?? false,
      },
      fresh: salesUnits,
      feedbackUrl: config.feedbackUrl,
      supportText: config.supportText,
    })
  }
