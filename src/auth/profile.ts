import type { JWTPayload } from 'jose'
import * as oidc from 'openid-client'
import { z } from 'zod'
import { emailAddress } from '../domain/email-address.ts'
import { EidAnswerError, EidUnavailableError } from '../errors.ts'
import type { Eid } from './eid.ts'
import { signedJwt, verifyProviderJwt } from './provider-jwt.ts'

/** Name and e-mail from the eID; null when the provider sends none. */
export type Profile = {
  readonly name: string | null
  readonly email: string | null
  /** The address if the provider vouches for it: `email_verified` is true (OpenID Connect Core 1.0, 5.1). */
  readonly vouchedEmail: string | null
}

/**
 * Name and e-mail from the ID token, else from the userinfo endpoint. When userinfo fails the sign-in fails, because it
 * would otherwise overwrite a stored name and address with nothing.
 * @throws EidAnswerError, EidUnavailableError, and the errors of openid-client
 */
export async function profileOf(
  eid: Eid,
  configuration: oidc.Configuration,
  accessToken: string,
  claims: JWTPayload & { readonly sub: string },
): Promise<Profile> {
  const fromToken = read(claims)
  const { userinfo_endpoint: endpoint } = configuration.serverMetadata()
  if ((fromToken.name && fromToken.email) || !endpoint) return fromToken
  const more = await userInfo(eid, configuration, endpoint, accessToken)
  // The subject must match, or tokens were mixed up (OpenID Connect Core 5.3.2).
  if (more['sub'] !== claims.sub) throw new EidAnswerError('userinfo: another subject')
  const fromUserInfo = read(more)
  // When the two addresses differ, the ID token's is used, and `email_verified` of the other is ignored.
  const alike = fromToken.email === null || fromToken.email === fromUserInfo.email
  return {
    name: fromToken.name ?? fromUserInfo.name,
    email: fromToken.email ?? fromUserInfo.email,
    vouchedEmail: fromToken.vouchedEmail ?? (alike ? fromUserInfo.vouchedEmail : null),
  }
}

function read(claims: Readonly<Record<string, unknown>>): Profile {
  return {
    name: text(claims['name']) ?? text([claims['given_name'], claims['family_name']].filter(Boolean).join(' ')),
    email: text(claims['email']),
    // Only the boolean `true` counts: a string costs the user a code, while trusting too much would verify a wrong
    // address. The raw claim is used, because a trimmed or cleaned value may be another person's address.
    vouchedEmail: claims['email_verified'] === true ? (emailAddress(claims['email']) ?? null) : null,
  }
}

/** The userinfo response: JSON, or a JWT that is signed, encrypted or both (OpenID Connect Core 5.3.2). */
async function userInfo(
  eid: Eid,
  configuration: oidc.Configuration,
  endpoint: string,
  accessToken: string,
): Promise<Readonly<Record<string, unknown>>> {
  const headers = new Headers({ accept: 'application/json, application/jwt' })
  const answer = await oidc.fetchProtectedResource(configuration, accessToken, new URL(endpoint), 'GET', null, headers)
  if (answer.status >= 500 || answer.status === 429) throw new EidUnavailableError(`userinfo: ${answer.status}`)
  if (answer.status !== 200) throw new EidAnswerError(`userinfo: ${answer.status}`)
  const body = await answer.text()
  if (!/^application\/jwt\b/i.test(answer.headers.get('content-type') ?? '')) return objectIn(body)
  const content = await signedJwt(eid, body.trim())
  // Encrypted without a signature: it comes from the provider all the same, over TLS and for the access token.
  return content.startsWith('{') ? objectIn(content) : verifyProviderJwt(eid, content, { addressed: false })
}

function objectIn(body: string): Readonly<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(body))
  } catch {
    // Without the cause, which quotes the response.
    throw new EidAnswerError('userinfo: not a JSON object')
  }
}

// PostgreSQL text cannot hold U+0000, and a name needs no other control character either.
function text(value: unknown): string | null {
  return typeof value === 'string'
    ? value
        .replace(/\p{Cc}+/gu, ' ')
        .trim()
        .slice(0, 200) || null
    : null
}
