import * as oidc from 'openid-client'
import { emailAddress } from '../email-address.ts'

/** What the eID says of somebody; null where it says nothing. */
export type Profile = {
  readonly name: string | null
  readonly email: string | null
  /** The address if the provider vouches for it: `email_verified` beside it is true (OpenID Connect Core 1.0, 5.1). */
  readonly vouchedEmail: string | null
}

// PostgreSQL takes no U+0000, and a name on one line needs no other control character either.
const text = (value: unknown): string | null =>
  typeof value === 'string'
    ? value
        .replace(/\p{Cc}+/gu, ' ')
        .trim()
        .slice(0, 200) || null
    : null

const read = (claims: Readonly<Record<string, unknown>>): Profile => ({
  name: text(claims['name']) ?? text([claims['given_name'], claims['family_name']].filter(Boolean).join(' ')),
  email: text(claims['email']),
  // The boolean and nothing else: a provider that sends the word costs its users a code, believing too much would cost
  // more. And the claim as it came, because what is cut or cleaned up may be somebody else's address.
  vouchedEmail: claims['email_verified'] === true ? (emailAddress(claims['email']) ?? null) : null,
})

/**
 * Name and e-mail: from the ID token, else from the userinfo endpoint, where many providers keep them.
 * @throws what openid-client throws
 */
export const profileOf = async (
  configuration: oidc.Configuration,
  tokens: oidc.TokenEndpointResponse,
  claims: oidc.IDToken,
): Promise<Profile> => {
  const fromToken = read(claims)
  if ((fromToken.name && fromToken.email) || !configuration.serverMetadata().userinfo_endpoint)
    return fromToken
  const fromUserInfo = read(await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub))
  // Of two addresses the ID token's counts, and nothing that is said of the other.
  const alike = fromToken.email === null || fromToken.email === fromUserInfo.email
  return {
    name: fromToken.name ?? fromUserInfo.name,
    email: fromToken.email ?? fromUserInfo.email,
    vouchedEmail: fromToken.vouchedEmail ?? (alike ? fromUserInfo.vouchedEmail : null),
  }
}
