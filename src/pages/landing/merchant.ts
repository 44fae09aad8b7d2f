import type { RequestHandler } from 'express'
import { UpstreamUnavailableError } from '../../errors.ts'
import { actingAs } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'
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
      countOf('webhooks', 'developers/webhooks', async () => {
        const { total, asked, salesUnits } = await records.webhooks.find(merchant, { q: '', page: 1 })
        // A part of them would look like all.
        if (asked < salesUnits) throw new UpstreamUnavailableError({ purpose: 'webhooks' })
        return total
      }),
    ])
    res.render('landing/merchant', {
      title: res.locals.language.t('landing.title'),
      counts,
      feedbackUrl: config.feedbackUrl,
      supportText: config.supportText,
    })
  }
