import * as oidc from 'openid-client'
import { EidAnswerError, EidSetupError, EidUnavailableError } from '../errors.ts'
import { signingKey } from './client-keys.ts'
import type { Eid } from './eid.ts'
import { eidError } from './eid-error.ts'

/** What the callback checks the provider's answer against; kept in an encrypted cookie, and secret. */
export type Checks = { readonly state: string; readonly nonce: string; readonly codeVerifier: string }

/**
 * The URL at the provider for a new sign-in, with PKCE S256, and always state and nonce, whatever the provider's
 * metadata says of PKCE (RFC 9700, 4.5.3 and 4.7.1).
 * @throws EidUnavailableError, EidAnswerError
 */
export async function beginAuthorization(
  eid: Eid,
  request: { readonly callbackUrl: string; readonly language: string },
): Promise<Checks & { readonly url: URL }> {
  const { scope, acrValues, usePar, useJar, signingKeys } = eid.options
  const checks = { state: oidc.randomState(), nonce: oidc.randomNonce(), codeVerifier: oidc.randomPKCECodeVerifier() }
  const parameters = new URLSearchParams({
    redirect_uri: request.callbackUrl,
    scope,
    state: checks.state,
    nonce: checks.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
    code_challenge_method: 'S256',
    ui_locales: request.language,
    ...(acrValues ? { acr_values: acrValues } : {}),
  })
  const signer = useJar && signingKeys[0] ? signingKey(signingKeys[0]) : undefined
  return withEid(eid, async (configuration) => {
    let url = oidc.buildAuthorizationUrl(configuration, parameters)
    if (signer)
      url = await oidc.buildAuthorizationUrlWithJAR(configuration, url.searchParams, signer.key, {
        [oidc.modifyAssertion]: signer.modify,
      })
    if (usePar) url = await oidc.buildAuthorizationUrlWithPAR(configuration, url.searchParams)
    return { ...checks, url }
  })
}

/**
 * The tokens for the provider's answer. @param answer the parsed query of the callback
 * @throws SignInCancelledError, AssuranceError, SignInExpiredError, EidAnswerError, EidSetupError, EidUnavailableError
 */
export async function exchangeCode(
  configuration: oidc.Configuration,
  callbackUrl: string,
  answer: Readonly<Record<string, string>>,
  { state, nonce, codeVerifier }: Checks,
): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers> {
  // Only the parsed parameters; the public origin comes from the configuration.
  const url = new URL(`?${new URLSearchParams(answer).toString()}`, callbackUrl)
  return oidc.authorizationCodeGrant(configuration, url, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: codeVerifier,
  })
}

/** Runs a part of a sign-in. After an error of the provider its metadata is stale. @throws PortalError */
export async function withEid<T>(eid: Eid, work: (configuration: oidc.Configuration) => Promise<T>): Promise<T> {
  const configuration = await eid.configuration()
  try {
    return await work(configuration)
  } catch (error) {
    const reason = eidError(error)
    if ([EidUnavailableError, EidAnswerError, EidSetupError].some((type) => reason instanceof type)) eid.markStale()
    throw reason
  }
}
