import { parseCookie } from 'cookie'
import type { Request, Response } from 'express'

const yearMs = 365 * 86_400_000

/** What the browser remembers under this name; the user may have written anything into it. */
export function readPreference(req: Request, name: string): string | undefined {
  return parseCookie(req.headers.cookie ?? '')[name]
}

/** Has the browser remember a choice that is no secret for a year. */
export function rememberPreference(res: Response, name: string, value: string, https: boolean): void {
  res.cookie(name, value, { httpOnly: true, sameSite: 'lax', secure: https, path: '/', maxAge: yearMs })
}
