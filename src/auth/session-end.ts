import type { Request, RequestHandler } from 'express'
import { idleEndOf, type SessionLimits } from '../http/session.ts'

/** What ends a session first: nobody using it, which can be put off, or its age, which cannot. */
export type SessionEnd = { readonly kind: 'idle' | 'age'; readonly at: Date; readonly leftMs: number }

/** Pages say so this long before the end. */
const warnMs = 5 * 60_000

/** When the session of a signed-in user ends if this request is its last. */
export const sessionEndOf = (req: Request, { absoluteMs }: SessionLimits): SessionEnd => {
  const byAge = (req.session.signedInAt ?? 0) + absoluteMs
  const idle = idleEndOf(req)
  const [kind, at] = byAge <= idle ? (['age', byAge] as const) : (['idle', idle] as const)
  return { kind, at: new Date(at), leftMs: Math.max(0, at - Date.now()) }
}

/**
 * For the layout: `ending`, how long there is left, which public/js/ending.js counts down, and `endsSoon` where only a
 * new sign-in helps. A page that was just opened is never about to end because nobody uses it.
 */
export const sessionEnd =
  (limits: SessionLimits): RequestHandler =>
  (req, res, next) => {
    if (req.user) {
      const ending = sessionEndOf(req, limits)
      Object.assign(res.locals, { ending, endsSoon: ending.kind === 'age' && ending.leftMs < warnMs })
    }
    next()
  }
