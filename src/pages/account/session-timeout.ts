import type { Request, Response } from 'express'
import { safeReturnPath } from '../../auth/safe-return-path.ts'

function stateOf(res: Response) {
  const { sessionEnd, language } = res.locals
  if (!sessionEnd) throw new Error('this route needs a user')
  const { kind, at, leftMs } = sessionEnd
  const { t, format } = language
  return { kind, leftMs, words: t(`sessionTimeout.${kind}`, { at: format.timeOfDay(at) }) }
}

function wantsJson(req: Request): boolean {
  return req.accepts(['html', 'json']) === 'json'
}

/**
 * `GET /session/ending?returnTo=/local/path`: when the session ends and how to stay signed in. The script's background
 * request gets JSON, `{kind, leftMs, words}`, and does not extend the session.
 */
export function showSessionTimeout(req: Request, res: Response): unknown {
  const state = stateOf(res)
  if (wantsJson(req)) return res.json(state)
  const title = res.locals.language.t('sessionTimeout.title')
  const back = safeReturnPath(req.query['returnTo'])
  // The page itself is the notice.
  return res.render('account/session-timeout', { title, state, back, sessionEnd: null })
}

/** `POST /session/stay`: extends the session. Redirects to `returnTo`, or answers the new end as JSON. */
export function staySignedIn(req: Request, res: Response): unknown {
  if (wantsJson(req)) return res.json(stateOf(res))
  const { returnTo } = (req.body ?? {}) as { returnTo?: unknown }
  return res.redirect(303, safeReturnPath(returnTo))
}
