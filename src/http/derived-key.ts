import { hkdfSync } from 'node:crypto'

/**
 * Derives a 32-byte key for one purpose from a session secret (HKDF-SHA-256, RFC 5869). Keys of different purposes are
 * independent.
 */
export function derivedKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `partner-portal ${purpose}`, 32))
}
