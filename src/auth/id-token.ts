import { createHash } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload } from 'jose'
import type { TokenEndpointResponse } from 'openid-client'
import { AssuranceError, EidAnswerError } from '../errors.ts'
import type { Eid } from './eid.ts'
import { wordOf } from './eid-error.ts'
import { signedJwt, verifyProviderJwt } from './provider-jwt.ts'

/** An ID token from the token endpoint is new, so this only allows for clock skew. */
const maxAgeSeconds = 600

/** OpenID Connect Core 2: at most 255 ASCII characters. Control characters are refused. */
const subjectPattern = /^[\x20-\x7e]{1,255}$/

/**
 * Verifies of the ID token what openid-client leaves out: signature, `iat`, `sub`, `azp`, `at_hash` and `c_hash`.
 * The library has verified `nonce` before.
 * @param code the authorization code that the tokens were issued for
 * @returns the claims, and the signed (decrypted) token for `id_token_hint` at sign-out
 * @throws EidAnswerError, EidUnavailableError
 */
export async function verifyIdToken(
  eid: Eid,
  tokens: TokenEndpointResponse,
  code: string,
): Promise<{ readonly claims: JWTPayload & { readonly sub: string }; readonly idToken: string }> {
  if (!tokens.id_token) throw new EidAnswerError('no ID token')
  const idToken = await signedJwt(eid, tokens.id_token)
  const claims = await verifyProviderJwt(eid, idToken, {
    maxAgeSeconds,
    requiredClaims: ['exp', 'sub', 'nonce'],
  })
  const { sub, azp } = claims
  if (typeof sub !== 'string' || !subjectPattern.test(sub)) throw new EidAnswerError('ID token: invalid sub')
  if (azp !== undefined && azp !== eid.options.clientId) throw new EidAnswerError('ID token: azp is another client')
  const { alg = '' } = decodeProtectedHeader(idToken)
  checkHash(claims, 'at_hash', tokens.access_token, alg)
  checkHash(claims, 'c_hash', code, alg)
  return { claims: { ...claims, sub }, idToken }
}

function checkHash(claims: JWTPayload, name: 'at_hash' | 'c_hash', value: string, alg: string): void {
  if (claims[name] !== undefined && claims[name] !== halfHash(value, alg))
    throw new EidAnswerError(`ID token: ${name} does not match`)
}

/**
 * OpenID Connect treats acr_values as a preference, and some providers choose the eID by it and put another value into
 * the token. So the portal demands a level only where the operator does. @throws AssuranceError
 */
export function checkAssurance({ acr }: JWTPayload, required: readonly string[]): void {
  if (required.length === 0 || (typeof acr === 'string' && required.includes(acr))) return
  const came = typeof acr === 'string' ? `acr is ${wordOf(acr, 200)}` : 'acr is missing'
  throw new AssuranceError(`ID token: ${came}, OIDC_REQUIRED_ACR says ${required.join(' ')}`)
}

/** The left half of the hash that belongs to the algorithm (OpenID Connect Core 3.1.3.6 and 3.3.2.11). */
function halfHash(value: string, alg: string): string {
  const hash = createHash(/\d+$/.test(alg) && alg !== 'Ed25519' ? `sha${alg.slice(-3)}` : 'sha512')
  const digest = hash.update(value).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
