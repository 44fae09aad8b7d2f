import { compactDecrypt, CompactEncrypt } from 'jose'
import { derivedKey } from '../http/derived-key.ts'

/** Encrypts ID tokens in session rows, so that read access to the database does not reveal them. */
export type TokenEncryption = {
  readonly encrypt: (token: string) => Promise<string>
  /** The token; undefined when no secret decrypts it, such as after its secret was removed. */
  readonly decrypt: (encrypted: string) => Promise<string | undefined>
}

/**
 * Encrypts with A256GCM in compact JWE (RFC 7516). The first of SESSION_SECRETS encrypts, all decrypt, as with cookies.
 */
export function createTokenEncryption(secrets: readonly string[]): TokenEncryption {
  const keys = secrets.map((secret) => derivedKey(secret, 'ID tokens in sessions'))
  const [first] = keys
  if (!first) throw new Error('no session secret: set SESSION_SECRETS')
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
