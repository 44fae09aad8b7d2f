import { compactDecrypt, CompactEncrypt } from 'jose'
import { derivedKey } from '../http/derived-key.ts'

/** Hides ID tokens in session rows from whoever reads the database. */
export type Sealer = {
  readonly seal: (token: string) => Promise<string>
  /** The token; undefined for what no secret opens: it was sealed with one that is gone, or is something else. */
  readonly open: (sealed: string) => Promise<string | undefined>
}

/** A256GCM in compact JWE (RFC 7516). The first of SESSION_SECRETS seals, all open, as with cookies. */
export const createSealer = (secrets: readonly string[]): Sealer => {
  const keys = secrets.map((secret) => derivedKey(secret, 'ID tokens in sessions'))
  const [first] = keys
  if (!first) throw new Error('there is no session secret')
  return {
    seal: (token) =>
      new CompactEncrypt(new TextEncoder().encode(token))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(first),
    open: async (sealed) => {
      for (const key of keys) {
        try {
          const { plaintext } = await compactDecrypt(sealed, key, {
            keyManagementAlgorithms: ['dir'],
            contentEncryptionAlgorithms: ['A256GCM'],
          })
          return new TextDecoder().decode(plaintext)
        } catch {
          // The next secret may open it.
        }
      }
      return undefined
    },
  }
}
