import type { RequestHandler } from 'express'
import type { Eid } from './eid.ts'

/** A new key must be known to the provider before it signs, so caches may keep the old set for a few minutes only. */
const maxAgeSeconds = 300

/** `GET /auth/jwks.json`: the portal's public keys, for the eID provider (RFC 7517, 5). Empty where it has none. */
export function showJwks({ options }: Eid): RequestHandler {
  const keys = [...options.signingKeys, ...options.decryptionKeys].map(({ publicJwk }) => publicJwk)
  return (_req, res) => {
    res.set('Cache-Control', `public, max-age=${maxAgeSeconds}`).json({ keys })
  }
}
