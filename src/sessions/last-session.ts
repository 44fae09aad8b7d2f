import { parseCookie } from 'cookie'
import type { Request, Response } from 'express'

/**
 * How the last session of this browser ended: the user signed out, did not use it, or it ended otherwise. It is in a
 * cookie, because a session that has ended is no longer stored, and only its own browser may learn of it.
 */
export type LastSession = 'signed-out' | 'idle' | 'ended'

const name = 'last-session'
const signedOut = 'signed-out'
/** How long the browser remembers a sign-out, and the end of a session. */
const [signedOutMs, endMs] = [5 * 60_000, 24 * 3_600_000]

/** Remembers when the session ends without further use. */
export function noteIdleEnd(res: Response, at: Date, https: boolean): void {
  note(res, String(at.getTime()), Math.max(0, at.getTime() - Date.now()) + endMs, https)
}

/** Remembers that the user has signed out. */
export function noteSignOut(res: Response, https: boolean): void {
  note(res, signedOut, signedOutMs, https)
}

/** How the last session of a signed-out browser ended; undefined when it is unknown. */
export function lastSession(req: Request): LastSession | undefined {
  const value = parseCookie(req.headers.cookie ?? '')[name] ?? ''
  if (value === signedOut) return value
  if (!/^\d{1,15}$/.test(value)) return undefined
  return Number(value) <= Date.now() ? 'idle' : 'ended'
}

function note(res: Response, value: string, maxAge: number, https: boolean): void {
  res.cookie(name, value, { httpOnly: true, sameSite: 'lax', secure: https, path: '/', maxAge })
}
