import { compactDecrypt, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { EidAnswerError, InternalError } from '../errors.ts'
import type { Eid } from './eid.ts'
import { eidError } from './eid-error.ts'

/** How far the provider's clock may be from ours, in seconds. */
const clockToleranceSeconds = 30

const contentEncryption = ['A128GCM', 'A192GCM', 'A256GCM', 'A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512']

/** The signed JWT within an encrypted one; any other as it is. Nothing is verified. @throws EidAnswerError */
export async function signedJwt(eid: Eid, jwt: string): Promise<string> {
  return jwt.split('.').length === 5 ? decrypt(eid, jwt) : jwt
}

async function decrypt({ options }: Eid, jwe: string): Promise<string> {
  let reason: unknown
  // A provider need not name the key it used, and while keys are rotated there are two.
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
  throw new EidAnswerError('encrypted for nobody here', { cause: reason })
}

/** What is expected of a JWT beside what holds for all of them. */
export type Expected = {
  /** Then `iat` must be there, and be no older than this, nor in the future. */
  readonly maxAgeSeconds?: number
  /** The media type in the header, such as `logout+jwt`. */
  readonly typ?: string
  readonly requiredClaims?: readonly string[]
  /** False: issuer and audience need not be named (signed userinfo, OpenID Connect Core 5.3.2); where they are they count. */
  readonly addressed?: boolean
}

/**
 * Verifies a JWT of the eID provider, encrypted for us or not: signed with one of the provider's keys by an algorithm
 * of OIDC_ID_TOKEN_ALGS, issued by the provider, for us, not expired and not from the future (30 s of clock
 * tolerance; `exp` only where it is there, unless required).
 * @returns its claims
 * @throws EidAnswerError for one that is not so; EidUnavailableError where the provider's keys cannot be had
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
    const { payload } = await jwtVerify(signed, keyOf(eid, String(jwksUri)), {
      algorithms: [...eid.options.idTokenAlgs],
      clockTolerance: clockToleranceSeconds,
      requiredClaims: [...requiredClaims],
      ...(addressed ? { issuer, audience: eid.options.clientId } : {}),
      ...(maxAgeSeconds === undefined ? {} : { maxTokenAge: maxAgeSeconds }),
      ...(typ === undefined ? {} : { typ }),
    })
    const { iss = issuer, aud = eid.options.clientId } = payload
    if (iss !== issuer || ![aud].flat().includes(eid.options.clientId))
      throw new EidAnswerError('a JWT of somebody else, or for somebody else')
    return payload
  } catch (error) {
    const reason = eidError(error)
    // A key that nothing can be verified with is a TypeError of jose's, and the provider's doing.
    throw reason instanceof InternalError ? new EidAnswerError('not verifiable', { cause: error }) : reason
  }
}

/** Which key a JWT must be signed with: the client secret for HS*, which counts only where it is named. */
function keyOf(eid: Eid, jwksUri: string): JWTVerifyGetKey {
  const remote = eid.keys(jwksUri)
  return (header, token) =>
    header.alg.startsWith('HS') ? new TextEncoder().encode(eid.options.clientSecret ?? '') : remote(header, token)
}
