import type { RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { TooManyRequestsError } from '../errors.ts'

const windowMs = 5 * 60_000
/** Generous, because a whole company may come from one address; far below what a flood needs. */
const most = 300

/**
 * Holds back an address that starts or finishes sign-ins without end: each costs a session row and calls to the
 * eID provider. Counted in this process.
 * @throws TooManyRequestsError, with Retry-After already set
 */
export const signInLimit = (): RequestHandler =>
  rateLimit({
    windowMs,
    limit: most,
    standardHeaders: false,
    legacyHeaders: false,
    // A proxy that TRUST_PROXY does not name is no reason to refuse; docs/operations.md tells what follows.
    validate: { xForwardedForHeader: false },
    handler: (_req, res, next) => {
      res.setHeader('Retry-After', String(windowMs / 1000))
      next(new TooManyRequestsError('sign-in'))
    },
  })
