import type { RequestHandler } from 'express'
import { actingAs } from '../acting-as.ts'
import type { PageDeps } from '../routes.ts'
import { countOf } from './partner.ts'

/** `GET /merchants/:scheme/:id`: the business portal's landing page. */
export const showMerchantLanding =
  ({ records, config }: Pick<PageDeps, 'records' | 'config'>): RequestHandler =>
  async (_req, res) => {
    const merchant = actingAs(res)
    const counts = await Promise.all([
      countOf(
        'salesUnits',
        'sales-units',
        async () => (await records.salesUnits.names(merchant)).rows.length,
      ),
      countOf(
        'webhooks',
        'developers/webhooks',
        async () => (await records.webhooks.find(merchant, { q: '', page: 1 })).total,
      ),
    ])
    res.render('landing/merchant', {
      title: res.locals.language.t('landing.title'),
      counts,
      feedbackUrl: config.feedbackUrl,
      supportText: config.supportText,
    })
  }
