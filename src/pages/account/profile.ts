import type { RequestHandler } from 'express'
import { organisationsOf } from '../../auth/access.ts'
import { emailAddress } from '../../domain/email-address.ts'
import { ownSessions } from '../../sessions/own-sessions.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { choiceOf } from './select.ts'

/**
 * `GET /profile`: name, e-mail, what the user may act as, where they are signed in, and at the bottom the user ID. Before
 * an address is verified it names no organisation. `?ended=2` says how many sessions the user has just ended.
 */
export function showProfile({
  organisations,
  database,
  config,
}: Pick<PageDeps, 'organisations' | 'database' | 'config'>): RequestHandler {
  return async (req, res) => {
    const user = signedIn(req)
    const { t, format } = res.locals.language
    const sessions = await ownSessions(database, config.sessionLimits, req, user)
    const { ended: said } = req.query
    const ended = typeof said === 'string' && /^\d{1,2}$/.test(said) ? Number(said) : undefined
    res.render('account/profile', {
      title: t('profile.title'),
      // Told only where it is not the one in use.
      eidEmail: emailAddress(user.eidEmail) === user.email ? null : user.eidEmail,
      choices: user.email ? organisationsOf(user, organisations).map((choice) => choiceOf(choice, res)) : [],
      sayRoles: true,
      sessions: sessions.map(({ id, current, browser, system, address, signedInAt, usedAt }) => ({
        id,
        current,
        device: browser && system ? t('sessions.device', { browser, system }) : browser || system,
        address,
        began: format.moment(signedInAt),
        // A use within a minute of another is not written.
        used: current ? t('sessions.now') : format.ago(Math.max(Date.now() - usedAt.getTime(), 60_000)),
      })),
      ended,
    })
  }
}
