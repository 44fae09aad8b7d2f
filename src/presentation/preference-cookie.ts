import { parseCookie } from 'cookie'
import type { Request, Response } from 'express'

const yearMs = 365 * 86_400_000

/** The value of a preference cookie; unvalidated. */
export function readPreference(req: Pick<Request, 'headers'>, name: string): string | undefined {
  return parseCookie(req.headers.cookie ?? '')[name]
}

/** Stores a preference in a cookie for a year. */
export function rememberPreference(res: Response, name: string, value: string, https: boolean): void {
  res.cookie(name, value, { httpOnly: true, sameSite: 'lax', secure: https, path: '/', maxAge: yearMs })
}
