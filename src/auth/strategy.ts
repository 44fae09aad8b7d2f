import type { NextFunction, Request, RequestHandler, Response } from 'express'
import * as oidc from 'openid-client'
import { Strategy, type VerifyFunction } from 'openid-client/passport'
import passport from 'passport'
import { EidAnswerError, EidUnavailableError, SignInCancelledError } from '../errors.ts'
import { signingKey } from './client-keys.ts'
import type { Eid } from './eid.ts'
import { eidError } from './eid-error.ts'

type SignIn = {
  readonly eid: Eid
  readonly configuration: oidc.Configuration
  readonly callbackUrl: string
  readonly state: string
  /** What the provider has answered; absent at the start. */
  readonly answer?: Readonly<Record<string, string>>
  readonly language: string
}

/** Forgets nonce and verifier of a sign-in that nobody will finish. */
export function forgetSignIn(req: Request, state: string): void {
  delete req.session[sessionKey(state)]
}

/** Where the library keeps nonce and PKCE verifier of the sign-in with this state in the session. */
function sessionKey(state: string) {
  return `signIn:${state}` as const
}

/**
 * The passport strategy for one sign-in. Every sign-in has a `state` of its own and keeps what it must remember
 * under it, so that two tabs do not overwrite each other's (the library keeps one a session).
 */
export class SignInStrategy extends Strategy {
  readonly #signIn: SignIn

  constructor(signIn: SignIn, verify: VerifyFunction) {
    const { scope, usePar, useJar, signingKeys } = signIn.eid.options
    const signer = useJar && signingKeys[0] ? signingKey(signingKeys[0]) : undefined
    super(
      {
        config: signIn.configuration,
        sessionKey: sessionKey(signIn.state),
        callbackURL: signIn.callbackUrl,
        scope,
        usePAR: usePar,
        ...(signer ? { useJAR: [signer.key, signer.modify] } : {}),
      },
      verify,
    )
    this.#signIn = signIn
  }

  override shouldInitiateAuthRequest(): boolean {
    return this.#signIn.answer === undefined
  }

  /** The provider did something wrong. */
  doubt(): void {
    this.#signIn.eid.doubt()
  }

  // What we have read of the query and nothing else; the public address comes from the configuration.
  override currentUrl(): URL {
    return new URL(`?${new URLSearchParams(this.#signIn.answer).toString()}`, this.#signIn.callbackUrl)
  }

  // State and nonce always, whatever the provider says of PKCE (RFC 9700, 4.5.3 and 4.7.1).
  override authorizationRequestParams(): URLSearchParams {
    const { acrValues } = this.#signIn.eid.options
    return new URLSearchParams({
      state: this.#signIn.state,
      nonce: oidc.randomNonce(),
      ui_locales: this.#signIn.language,
      ...(acrValues ? { acr_values: acrValues } : {}),
    })
  }
}

/** Runs passport with one strategy and resolves to who signed in, or throws one of our errors. */
export function authenticate(
  strategy: SignInStrategy,
  req: Request,
  res: Response,
  next: NextFunction,
): Promise<Express.User> {
  return new Promise((resolve, reject) => {
    const done = (error: unknown, user?: Express.User | false) => {
      const reason = error && eidError(error)
      if (reason instanceof EidUnavailableError || reason instanceof EidAnswerError) strategy.doubt()
      if (reason) reject(reason)
      else if (user) resolve(user)
      else reject(new SignInCancelledError('access_denied'))
    }
    const handler = passport.authenticate(strategy, { session: false }, done) as RequestHandler
    void handler(req, res, next)
  })
}
