import type { RequestHandler } from 'express'
import type { Eid } from './eid.ts'

/** The provider must know a new key before it signs, so caches may keep the old set for a few minutes only. */
const maxAgeSeconds = 300

/** `GET /auth/jwks.json`: the portal's public keys for the eID provider (RFC 7517, 5). Empty when there are none. */
export function showJwks({ options }: Eid): RequestHandler {
  const keys = [...options.signingKeys, ...options.decryptionKeys].map(({ publicJwk }) => publicJwk)
  return (_req, res) => {
    res.set('Cache-Control', `public, max-age=${maxAgeSeconds}`).json({ keys })
  }
}
