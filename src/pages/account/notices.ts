import type { RequestHandler, Response } from 'express'
import { sql } from 'kysely'
import { z } from 'zod'
import { type Choice, organisationsOf } from '../../auth/access.ts'
import { digestPeriods, noticeEvents, noticeEventsOf } from '../../domain/notices.ts'
import { organisationKey } from '../../domain/organisation.ts'
import { timeZoneOf } from '../../domain/time-zone.ts'
import { BadRequestError, NotFoundError } from '../../errors.ts'
import { noticeChoicesOf, saveNoticeChoice } from '../../store/notice-settings.ts'
import { choices } from '../lists/query.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { profilePath } from './way-back.ts'

/**
 * What the profile page shows of notices: for each organisation the choice, what may be chosen, and the choice in
 * words. Undefined when the portal sends none. `?notices=<organisationKey>`: the one that was saved.
 */
export async function noticesOf(
  { database, config }: Pick<PageDeps, 'database' | 'config'>,
  user: Express.User,
  mine: readonly Choice[],
  res: Response,
) {
  if (!config.notices.isOn || !config.mail || !user.email || mine.length === 0) return undefined
  const chosen = await noticeChoicesOf(database.kysely, user.id)
  const { t, format } = res.locals.language
  const saved = res.req.query['notices']
  return {
    saved: mine.find(({ organisation }) => organisationKey(organisation) === saved)?.organisation.name,
    digests: ['', ...digestPeriods],
    organisations: mine.map(({ organisation, role }) => {
      const key = organisationKey(organisation)
      const offered = noticeEventsOf(organisation, role)
      const { digest = null, events = [] } = chosen.get(key) ?? {}
      const on = offered.filter((event) => events.includes(event))
      const state = [
        ...(digest ? [t(`notices.${digest}`)] : []),
        ...(on.length > 0 ? [t('notices.state', { count: on.length })] : []),
      ]
      return {
        key,
        name: organisation.name,
        zone: timeZoneOf(organisation, config.notices.partnerTimeZone),
        digest: digest ?? '',
        events: offered.map((event) => ({ event, isOn: on.includes(event) })),
        state: state.length > 0 ? format.list(state) : t('notices.off'),
      }
    }),
  }
}

const form = z.object({
  organisation: z.string(),
  returnTo: z.string().default(''),
  digest: z.enum(['', ...digestPeriods]),
  events: choices(noticeEvents),
})

/**
 * `POST /profile/notices`, form body `organisation` (an organisationKey()), `digest`, `events` and `returnTo`: stores the choice of
 * the user, and the language of the page for all their notices.
 * @throws BadRequestError for another body
 * @throws NotFoundError when the user may not act as the organisation, or the portal sends no notices
 */
export function saveNotices({
  database,
  config,
  organisations,
}: Pick<PageDeps, 'database' | 'config' | 'organisations'>): RequestHandler {
  return async (req, res) => {
    const user = signedIn(req)
    const { data } = form.safeParse(req.body)
    if (!data) throw new BadRequestError('notices')
    const choice = organisationsOf(user, organisations, res.locals.language).find(
      ({ organisation }) => organisationKey(organisation) === data.organisation,
    )
    if (!choice || !config.notices.isOn) throw new NotFoundError('no notices')
    const { organisation, role } = choice
    const offered = noticeEventsOf(organisation, role)
    const events = data.events.filter((event) => offered.includes(event))
    const language = res.locals.language.code
    const timeZone = timeZoneOf(organisation, config.notices.partnerTimeZone)
    await database.kysely
      .transaction()
      .execute(async (trx) =>
        saveNoticeChoice(
          trx,
          organisation,
          user.id,
          { digest: data.digest || null, events },
          { language, timeZone, now: sql<Date>`now()` },
        ),
      )
    res.redirect(303, `${profilePath(data.returnTo, `notices=${encodeURIComponent(data.organisation)}`)}#notices`)
  }
}
