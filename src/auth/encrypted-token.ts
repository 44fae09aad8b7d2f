import { compactDecrypt, CompactEncrypt } from 'jose'
import { derivedKey } from '../http/derived-key.ts'

/** Encrypts text that is stored where others may read it: ID tokens in session rows, sign-ins in cookies. */
export type TokenEncryption = {
  readonly encrypt: (token: string) => Promise<string>
  /** The token; undefined when no secret decrypts it, such as after its secret was removed. */
  readonly decrypt: (encrypted: string) => Promise<string | undefined>
}

/**
 * Encrypts with A256GCM in compact JWE (RFC 7516). The first of SESSION_SECRETS encrypts, all decrypt, as with cookies.
 * @param purpose what is encrypted; texts of one purpose do not decrypt for another
 */
export function createTokenEncryption(
  secrets: readonly string[],
  purpose: 'ID tokens in sessions' | 'pending sign-ins',
): TokenEncryption {
  const keys = secrets.map((secret) => derivedKey(secret, purpose))
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
