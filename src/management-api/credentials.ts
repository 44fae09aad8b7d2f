/**
 * The API credentials of an organisation, with secrets resolved to plain strings. They stay in this folder: no page,
 * log line or error contains them.
 * - `management`: issued for the Management API, to a partner or a merchant. Token by OAuth 2.0 client credentials;
 * without a subscription key, which the API refuses.
 * - `partner`: the general credentials of a partner. With `merchantSerialNumber` the token is requested for that sales
 * unit.
 * - `sales-unit`: a merchant's credentials of one sales unit; every call names that sales unit.
 */
export type Credentials =
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

/** The credentials after `Basic` for the token endpoint of management credentials (RFC 7617). */
export function basicCredentials({ clientId, clientSecret }: Credentials): string {
  return Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
}

/** Every secret string in `keys`, to redact it from responses of the API. */
export function secretsOf(keys: Credentials): readonly string[] {
  return [keys.clientId, keys.clientSecret, keys.type === 'management' ? basicCredentials(keys) : keys.subscriptionKey]
}
