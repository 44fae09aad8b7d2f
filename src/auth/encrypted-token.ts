import { compactDecrypt, CompactEncrypt } from 'jose'
import { derivedKey } from '../http/derived-key.ts'

/** Hides ID tokens in session rows from whoever reads the database. */
export type TokenEncryption = {
  readonly encrypt: (token: string) => Promise<string>
  /** The token; undefined for what no secret decrypts: its secret is gone, or it is something else. */
  readonly decrypt: (encrypted: string) => Promise<string | undefined>
}

/** A256GCM in compact JWE (RFC 7516). The first of SESSION_SECRETS encrypts, all decrypt, as with cookies. */
export function createTokenEncryption(secrets: readonly string[]): TokenEncryption {
  const keys = secrets.map((secret) => derivedKey(secret, 'ID tokens in sessions'))
  const [first] = keys
  if (!first) throw new Error('there is no session secret')
  return {
    encrypt: (token) =>
      new CompactEncrypt(new TextEncoder().encode(token))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(first),
    decrypt: async (encrypted) => {
      for (const key of keys) {
        try {
          const { plaintext } = await compactDecrypt(encrypted, key, {
            keyManagementAlgorithms: ['dir'],
            contentEncryptionAlgorithms: ['A256GCM'],
          })
          return new TextDecoder().decode(plaintext)
        } catch {
          // The next secret may decrypt it.
        }
      }
      return undefined
    },
  }
}
