import type { RequestHandler } from 'express'
import { organisationsOf } from '../../auth/access.ts'
import { emailAddress } from '../../domain/email-address.ts'
import { ownSessions } from '../../sessions/own-sessions.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import type { OrganisationSection } from '../mount.ts'
import { endedAccess, nearEnd } from './no-access.ts'
import { noticesOf } from './notices.ts'
import { choiceOf } from './select.ts'
import { profilePath, wayBack } from './way-back.ts'

/**
 * `GET /profile`: the user's name, e-mail, organisations and sessions, and at the bottom the user ID. Before
 * an address is verified the page names no organisation. `?ended=2`: the number of sessions the user has just ended;
 * `?returnTo=`: the page that the user came from.
 */
export function showProfile(
  { organisations, database, config }: Pick<PageDeps, 'organisations' | 'database' | 'config'>,
  sections: readonly OrganisationSection[],
): RequestHandler {
  return async (req, res) => {
    const user = signedIn(req)
    const { t, format } = res.locals.language
    const sessions = await ownSessions(database, config.sessionLimits, req, user)
    const mine = user.email ? organisationsOf(user, organisations, res.locals.language) : []
    const { ended: said, returnTo } = req.query
    const ended = typeof said === 'string' && /^\d{1,2}$/.test(said) ? Number(said) : undefined
    res.render('account/profile', {
      title: t('profile.title'),
      // Shown only when it differs from the verified address.
      eidEmail: emailAddress(user.eidEmail) === user.email ? null : user.eidEmail,
      choices: mine.map((choice) => choiceOf(choice, res)),
      ending: mine.flatMap(({ organisation: { name }, until }) => {
        const date = nearEnd(until, res)
        return date === '' ? [] : [{ name, date }]
      }),
      endedAccess: user.email ? await endedAccess({ organisations, database }, res) : [],
      notices: await noticesOf({ database, config }, user, mine, res),
      sayRoles: true,
      sessions: sessions.map(({ id, current, browser, system, address, signedInAt, usedAt }) => ({
        id,
        current,
        device: browser && system ? t('sessions.device', { browser, system }) : browser || system,
        address,
        began: format.shortMoment(signedInAt),
        // The store writes a session's last use once a minute at most.
        used: current
          ? t('sessions.active')
          : t('sessions.used', { used: format.ago(Math.max(Date.now() - usedAt.getTime(), 60_000)) }),
      })),
      ended,
      back: wayBack(req, res, mine, sections),
      came: typeof returnTo === 'string' ? returnTo : '',
      here: profilePath(returnTo),
    })
  }
}
