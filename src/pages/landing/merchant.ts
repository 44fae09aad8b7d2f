import type { RequestHandler } from 'express'
import { webhookProgress } from '../../store/webhooks.ts'
import { actingAs, listsHere } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'
import { countOf, optionalList } from './partner.ts'

/** `GET /merchants/:scheme/:id`: the business portal's landing page. */
export const showMerchantLanding =
  ({ database, looking, config }: Pick<PageDeps, 'database' | 'looking' | 'config'>): RequestHandler =>
  async (_req, res) => {
    const merchant = actingAs(res)
    const lists = listsHere(res)
    const [salesUnits, webhooks, { unasked }] = await Promise.all([
      optionalList(looking, merchant, 'salesUnits', lists),
      optionalList(looking, merchant, 'webhooks', lists),
      webhookProgress(database.kysely, merchant),
    ])
    // A part of them would look like all.
    const asked = webhooks && unasked > 0 ? { ...webhooks, total: null } : webhooks
    res.render('landing/merchant', {
      title: res.locals.language.t('landing.title'),
      counts: [
        countOf('salesUnits', 'sales-units', salesUnits),
        countOf('webhooks', 'developers/webhooks', asked),
      ],
      fresh: salesUnits,
      feedbackUrl: config.feedbackUrl,
      supportText: config.supportText,
    })
  }
