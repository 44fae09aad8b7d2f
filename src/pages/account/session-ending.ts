import type { Request, RequestHandler, Response } from 'express'
import { localPath } from '../../auth/local-path.ts'

const stateOf = (res: Response) => {
  const { ending, language } = res.locals
  if (!ending) throw new Error('this route needs a user')
  const { kind, at, leftMs } = ending
  const { t, format } = language
  return { kind, leftMs, words: t(`ending.${kind}`, { at: format.clock(at) }) }
}

const wantsJson = (req: Request): boolean => req.accepts(['html', 'json']) === 'json'

/**
 * `GET /session/ending?returnTo=/local/path`: when the session ends and what can be done about it; as JSON
 * `{kind, leftMs, words}` for the script that asks in the background, which puts nothing off.
 */
export const showSessionEnding: RequestHandler = (req, res) => {
  const state = stateOf(res)
  if (wantsJson(req)) return res.json(state)
  const title = res.locals.language.t('ending.title')
  const back = localPath(req.query['returnTo'])
  // The page says it itself.
  return res.render('account/session-ending', { title, state, back, ending: null })
}

/** `POST /session/stay`: somebody is there. Leads back to `returnTo`, or says as JSON how long it lasts now. */
export const staySignedIn: RequestHandler = (req, res) => {
  if (wantsJson(req)) return res.json(stateOf(res))
  const { returnTo } = (req.body ?? {}) as { returnTo?: unknown }
  return res.redirect(303, localPath(returnTo))
}
