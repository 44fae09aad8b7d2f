import { v5 } from 'uuid'

/** The portal's own name space for user IDs; a constant for ever, or every user ID would change. */
const namespace = '6f1d3c52-7a0e-5b8e-9f64-2d1b8c0e4a77'

/**
 * A person's user ID: UUIDv5 (RFC 9562) of issuer and subject, so the same eID gives the same ID on every
 * installation that uses the same provider, and no table is needed to know it. It is not secret. The pair is
 * written as JSON, so that no two pairs share a spelling.
 */
export function userIdOf(issuer: string, subject: string): string {
  return v5(JSON.stringify([issuer, subject]), namespace)
}
