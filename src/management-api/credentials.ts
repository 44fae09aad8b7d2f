/**
 * The keys an organisation is read with, secrets resolved to plain strings. They stay in this folder: no page,
 * log line or error carries them.
 *
 * - `management`: made for the Management API; a partner's or a merchant's. Token by OAuth 2.0 client
 *   credentials; no subscription key (sending one is refused).
 * - `partner`: what a partner does everything else with as well. With `merchantSerialNumber` the token is asked
 *   for that sales unit.
 * - `sales-unit`: a merchant's own keys of one sales unit; every call names that sales unit.
 */
export type Keys =
  | { readonly type: 'management'; readonly clientId: string; readonly clientSecret: string }
  | {
      readonly type: 'partner'
      readonly clientId: string
      readonly clientSecret: string
      readonly subscriptionKey: string
      readonly merchantSerialNumber?: string | undefined
    }
  | {
      readonly type: 'sales-unit'
      readonly clientId: string
      readonly clientSecret: string
      readonly subscriptionKey: string
      readonly merchantSerialNumber: string
    }

/** What goes after `Basic` for management keys (RFC 7617). */
export function basicCredentials({ clientId, clientSecret }: Keys): string {
  return Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
}

/** Every string in `keys` that must never be seen outside, for scrubbing what the API sends back. */
export function secretsOf(keys: Keys): readonly string[] {
  return [keys.clientId, keys.clientSecret, keys.type === 'management' ? basicCredentials(keys) : keys.subscriptionKey]
}
