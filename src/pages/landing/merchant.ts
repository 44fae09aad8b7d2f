import type { RequestHandler } from 'express'
import { webhookProgress } from '../../store/webhooks.ts'
import { actingAs, listsHere, signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { type Count, countOf, optionalList } from './partner.ts'
import { sinceLastVisit } from './since.ts'

/** `GET /merchants/:scheme/:id`: the business portal's landing page. */
export function showMerchantLanding({
  database,
  freshness,
  config,
}: Pick<PageDeps, 'database' | 'freshness' | 'config'>): RequestHandler {
  return async (req, res) => {
    const merchant = actingAs(res)
    const lists = listsHere(res)
    /** For the role developer only, and once all are read: a part would look like all of them. */
    const countWebhooks = async (): Promise<Count[]> => {
      if (res.locals.role !== 'developer') return []
      const [webhooks, { unasked }] = await Promise.all([
        optionalList(freshness, merchant, 'webhooks', lists),
        webhookProgress(database.pages, merchant),
      ])
      const asked = webhooks && unasked > 0 ? { ...webhooks, total: null } : webhooks
      return [countOf('webhooks', 'developers/webhooks', asked)]
    }
    const [salesUnits, webhooks] = await Promise.all([
      optionalList(freshness, merchant, 'salesUnits', lists),
      countWebhooks(),
    ])
    res.render('landing/merchant', {
      title: res.locals.language.t('landing.title'),
      counts: [countOf('salesUnits', 'sales-units', salesUnits), ...webhooks],
      since: await sinceLastVisit({ database }, res, signedIn(req).id),
      fresh: salesUnits,
      feedbackUrl: config.feedbackUrl,
      supportText: config.supportText,
    })
  }
}
