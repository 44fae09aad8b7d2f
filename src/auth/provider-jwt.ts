import { compactDecrypt, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose'
import { EidAnswerError, InternalError } from '../errors.ts'
import type { Eid } from './eid.ts'
import { eidError, isOtherSpelling, otherSpelling } from './eid-error.ts'
import type { ProviderKeys } from './provider-keys.ts'

/** The tolerated difference between the provider's clock and ours. */
const clockToleranceSeconds = 30

const contentEncryption = ['A128GCM', 'A192GCM', 'A256GCM', 'A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512']

/** The signed JWT inside an encrypted one; any other JWT unchanged. Verifies nothing. @throws EidAnswerError */
export async function signedJwt(eid: Eid, jwt: string): Promise<string> {
  return jwt.split('.').length === 5 ? decrypt(eid, jwt) : jwt
}

async function decrypt({ options }: Eid, jwe: string): Promise<string> {
  let reason: unknown
  // A provider need not name the key it used, and there are two keys during a rotation.
  for (const { privateKey, alg } of options.decryptionKeys) {
    try {
      const { plaintext } = await compactDecrypt(jwe, privateKey, {
        keyManagementAlgorithms: [alg],
        contentEncryptionAlgorithms: contentEncryption,
      })
      return new TextDecoder().decode(plaintext)
    } catch (error) {
      reason = error
    }
  }
  throw new EidAnswerError('JWT encrypted with an unknown key', { cause: reason })
}

/** Requirements on a JWT beyond those that hold for all. */
export type Expected = {
  /** Requires `iat`, no older than this and not in the future. */
  readonly maxAgeSeconds?: number
  /** The required media type in the header, such as `logout+jwt`. */
  readonly typ?: string
  readonly requiredClaims?: readonly string[]
  /**
   * False: issuer and audience are optional (signed userinfo, OpenID Connect Core 5.3.2), but must match when present.
   */
  readonly addressed?: boolean
}

/**
 * Verifies a JWT of the eID provider, encrypted or not: signed with a key of the provider by an algorithm of
 * OIDC_ID_TOKEN_ALGS, with the provider as issuer and the portal as audience, neither expired nor from the future (30 s
 * of clock tolerance; `exp` is optional unless required).
 * @returns its claims
 * @throws EidAnswerError for an invalid JWT; EidUnavailableError when the provider's keys cannot be fetched
 */
export async function verifyProviderJwt(
  eid: Eid,
  jwt: string,
  { maxAgeSeconds, typ, requiredClaims = [], addressed = true }: Expected = {},
): Promise<JWTPayload> {
  const configuration = await eid.configuration()
  const { issuer, jwks_uri: jwksUri } = configuration.serverMetadata()
  try {
    const signed = await signedJwt(eid, jwt)
    const { payload } = await verifyWith(eid, signed, eid.keys(String(jwksUri)), {
      algorithms: [...eid.options.idTokenAlgs],
      clockTolerance: clockToleranceSeconds,
      requiredClaims: [...requiredClaims],
      ...(addressed ? { issuer, audience: eid.options.clientId } : {}),
      ...(maxAgeSeconds === undefined ? {} : { maxTokenAge: maxAgeSeconds }),
      ...(typ === undefined ? {} : { typ }),
    })
    const { iss = issuer, aud = eid.options.clientId } = payload
    if (iss !== issuer || ![aud].flat().includes(eid.options.clientId))
      throw new EidAnswerError('JWT: iss or aud does not match')
    return payload
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed && isOtherSpelling(error.payload.iss, issuer))
      throw new EidAnswerError(otherSpelling)
    const reason = eidError(error)
    // jose throws a TypeError for an unusable key, which is the provider's error.
    throw reason instanceof InternalError ? new EidAnswerError('JWT: cannot be verified', { cause: error }) : reason
  }
}

/** Verifies with the cached keys, and once more with fetched ones where the cached ones may be old. */
async function verifyWith(eid: Eid, jwt: string, keys: ProviderKeys, options: JWTVerifyOptions) {
  const key = keyOf(eid, keys.get)
  try {
    return await jwtVerify(jwt, key, options)
  } catch (error) {
    if (!(await keys.refetchAfter(error))) throw error
    return jwtVerify(jwt, key, options)
  }
}

/** The key that verifies a JWT: the client secret for HS*, which only counts when OIDC_ID_TOKEN_ALGS names it. */
function keyOf(eid: Eid, get: JWTVerifyGetKey): JWTVerifyGetKey {
  return (header, token) =>
    header.alg.startsWith('HS') ? new TextEncoder().encode(eid.options.clientSecret ?? '') : get(header, token)
}
