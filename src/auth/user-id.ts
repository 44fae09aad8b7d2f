import { createHmac } from 'node:crypto'
import { stringify, v5 } from 'uuid'

/** The portal's own UUID name space for user IDs. It must never change, or every user ID would. */
const namespace = '6f1d3c52-7a0e-5b8e-9f64-2d1b8c0e4a77'

/**
 * A user's ID, without a lookup. With a secret it is a UUIDv8 (RFC 9562) of HMAC-SHA-256, which nobody without the secret
 * can compute from a subject. Without one it is a UUIDv5, and the same on every installation with the same provider:
 * where subjects are national numbers, they can be found by trying. JSON keeps issuer and subject apart.
 */
export function userIdOf(issuer: string, subject: string, secret?: Uint8Array): string {
  const name = JSON.stringify([issuer, subject])
  if (!secret) return v5(name, namespace)
  const bytes = createHmac('sha256', secret).update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return stringify(bytes)
}

/** Names how user IDs are derived, and with which secret, without revealing it; the database remembers it. */
export function userIdDerivation(secret: Uint8Array | undefined): string {
  if (!secret) return 'UUIDv5'
  return `HMAC-SHA-256 ${createHmac('sha256', secret).update('fingerprint').digest('base64url').slice(0, 22)}`
}
