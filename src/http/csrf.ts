import { csrfSync } from 'csrf-sync'
import express, { type Request, type RequestHandler } from 'express'

const { csrfSynchronisedProtection, generateToken } = csrfSync({
  getTokenFromRequest: (req) =>
    (req.body as Record<string, unknown> | undefined)?.['_csrf'] as string | undefined,
})

/** The token for a form in this session; made at the first call, so pages without a form need no session. */
export const csrfToken = (req: Request): string => generateToken(req)

/**
 * Goes before every POST handler (the site map sees to it): reads the form and refuses one without the
 * session's token (synchroniser token pattern, OWASP CSRF cheat sheet).
 */
export const csrfProtection: RequestHandler[] = [
  express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 50 }),
  csrfSynchronisedProtection,
]
