import { createHmac, timingSafeEqual } from 'node:crypto'
import { derivedKey } from '../http/derived-key.ts'

/** The user and the organisation whose notices a token stops; `organisation` is an organisationKey(). */
export type Unsubscription = { readonly userId: string; readonly organisation: string }

/** Makes and checks the tokens of unsubscribe links, which work without a session and never expire. */
export type UnsubscribeTokens = {
  readonly create: (unsubscription: Unsubscription) => string
  /** Undefined for a token that this portal did not make. */
  readonly read: (token: string) => Unsubscription | undefined
}

/** Tokens are signed with HMAC-SHA-256: the first session secret signs, all of them verify. */
export function createUnsubscribeTokens(sessionSecrets: readonly string[]): UnsubscribeTokens {
  const keys = sessionSecrets.map((secret) => derivedKey(secret, 'unsubscribe links'))
  return {
    create: ({ userId, organisation }) => {
      const content = Buffer.from(JSON.stringify([userId, organisation])).toString('base64url')
      return `${content}.${macOf(keys[0] ?? new Uint8Array(), content)}`
    },
    read: (token) => {
      const [content = '', mac = ''] = token.split('.')
      if (!keys.some((key) => isSame(macOf(key, content), mac))) return undefined
      const [userId, organisation] = JSON.parse(Buffer.from(content, 'base64url').toString()) as [string, string]
      return { userId, organisation }
    },
  }
}

function macOf(key: Uint8Array, content: string): string {
  return createHmac('sha256', key).update(content).digest('base64url')
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
