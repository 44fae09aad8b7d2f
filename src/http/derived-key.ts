import { hkdfSync } from 'node:crypto'

/**
 * A key of 32 bytes for one purpose, from a session secret (HKDF-SHA-256, RFC 5869): what one purpose's key is known to
 * do tells nothing of another's.
 */
export function derivedKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `partner-portal ${purpose}`, 32))
}
