import { v5 } from 'uuid'

/** The portal's own UUID name space for user IDs. It must never change, or every user ID would. */
const namespace = '6f1d3c52-7a0e-5b8e-9f64-2d1b8c0e4a77'

/**
 * A user's ID: UUIDv5 (RFC 9562) of issuer and subject. The same eID gives the same ID on every installation with the
 * same provider, without a lookup. It is not secret. JSON keeps the pair unambiguous.
 */
export function userIdOf(issuer: string, subject: string): string {
  return v5(JSON.stringify([issuer, subject]), namespace)
}
