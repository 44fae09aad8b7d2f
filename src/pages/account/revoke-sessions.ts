import type { RequestHandler } from 'express'
import type { SignInDeps } from '../../auth/sign-in.ts'
import { signOut } from '../../auth/sign-out.ts'
import { BadRequestError } from '../../errors.ts'
import { endOtherSessions } from '../../sessions/own-sessions.ts'
import { signedIn } from '../request-state.ts'
import { profilePath } from './way-back.ts'

/**
 * `POST /profile/sessions/revoke`, form body `session`: the id of one of the user's sessions, `others` for all but this
 * one, or `all`, which signs the user out here as well.
 * @throws BadRequestError
 */
export function revokeSessions(deps: SignInDeps): RequestHandler {
  const signOutHere = signOut(deps)
  return async (req, res, next) => {
    const { session, returnTo } = (req.body ?? {}) as { session?: unknown; returnTo?: unknown }
    if (typeof session !== 'string' || session === '') throw new BadRequestError('which session?')
    const everywhere = session === 'all' || session === 'others'
    const ended = await endOtherSessions(deps, req, signedIn(req), everywhere ? 'all' : session)
    if (session === 'all') return signOutHere(req, res, next)
    return res.redirect(303, `${profilePath(returnTo, `ended=${ended}`)}#sessions`)
  }
}
