import { randomBytes } from 'node:crypto'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import * as oidc from 'openid-client'
import { Strategy, type VerifyFunction } from 'openid-client/passport'
import { EidAnswerError, PortalError, SignInCancelledError, SignInExpiredError } from '../errors.ts'
import type { PendingSignIn } from '../http/session.ts'
import type { Database } from '../store/database.ts'
import { saveUser } from '../store/users.ts'
import { type Eid, eidError } from './eid.ts'
import { localPath } from './local-path.ts'
import type { Passport } from './passport.ts'
import { userIdOf } from './user-id.ts'

/** A browser may have this many sign-ins under way: tabs that somebody opened and left. */
const mostPending = 5

/**
 * The passport strategy for one sign-in. Every sign-in has a `state` of its own and keeps what it must remember
 * under it, so that two tabs do not overwrite each other's (the library keeps one a session).
 */
class SignInStrategy extends Strategy {
  readonly #phase: 'start' | 'finish'
  readonly #state: string
  readonly #acrValues: string | undefined
  readonly #language: string

  constructor(
    options: {
      phase: 'start' | 'finish'
      state: string
      configuration: oidc.Configuration
      eid: Eid
      callbackUrl: string
      language: string
    },
    verify: VerifyFunction,
  ) {
    super(
      {
        config: options.configuration,
        sessionKey: `signIn:${options.state}`,
        callbackURL: options.callbackUrl,
        scope: options.eid.options.scope,
      },
      verify,
    )
    this.#phase = options.phase
    this.#state = options.state
    this.#acrValues = options.eid.options.acrValues
    this.#language = options.language
  }

  override shouldInitiateAuthRequest(): boolean {
    return this.#phase === 'start'
  }

  // The public address comes from the configuration; a Host header is the sender's to choose.
  override currentUrl(req: Request): URL {
    return new URL(req.originalUrl.replace(/^[^?]*/, ''), 'https://callback.invalid')
  }

  // State and nonce always, whatever the provider says of PKCE (RFC 9700, 4.5.3 and 4.7.1).
  override authorizationRequestParams(): URLSearchParams {
    return new URLSearchParams({
      state: this.#state,
      nonce: oidc.randomNonce(),
      ui_locales: this.#language,
      ...(this.#acrValues ? { acr_values: this.#acrValues } : {}),
    })
  }
}

const text = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : null

/** Name and e-mail: from the ID token, else from the userinfo endpoint, where many providers keep them. */
const profileOf = async (
  configuration: oidc.Configuration,
  tokens: oidc.TokenEndpointResponse,
  claims: oidc.IDToken,
): Promise<{ name: string | null; email: string | null }> => {
  const read = (source: Readonly<Record<string, unknown>>) => ({
    name:
      text(source['name']) ?? text([source['given_name'], source['family_name']].filter(Boolean).join(' ')),
    email: text(source['email']),
  })
  const fromToken = read(claims)
  if ((fromToken.name && fromToken.email) || !configuration.serverMetadata().userinfo_endpoint)
    return fromToken
  const fromUserInfo = read(await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub))
  return { name: fromToken.name ?? fromUserInfo.name, email: fromToken.email ?? fromUserInfo.email }
}

/** Keeps the newest sign-ins only, so that a session cannot be filled without end. */
const remember = (req: Request, state: string, pending: PendingSignIn): void => {
  const all = Object.entries({ ...req.session.pendingSignIns, [state]: pending }).toSorted(
    ([, a], [, b]) => b.startedAt - a.startedAt,
  )
  for (const [old] of all.slice(mostPending))
    delete (req.session as unknown as Record<string, unknown>)[`signIn:${old}`]
  req.session.pendingSignIns = Object.fromEntries(all.slice(0, mostPending))
}

/** Runs passport with one strategy and resolves to who signed in, or throws one of our errors. */
const authenticate = (
  passport: Passport,
  strategy: Strategy,
  req: Request,
  res: Response,
  next: NextFunction,
): Promise<Express.User> =>
  new Promise((resolve, reject) => {
    const done = (error: unknown, user?: Express.User | false) => {
      if (error) reject(error instanceof PortalError ? error : eidError(error))
      else if (user) resolve(user)
      else reject(new SignInCancelledError('access_denied'))
    }
    const handler = passport.authenticate(strategy, { session: false }, done) as RequestHandler
    void handler(req, res, next)
  })

/** What signing in and out needs. `portalUrl` is the public origin. */
export type SignInDeps = {
  readonly eid: Eid
  readonly passport: Passport
  readonly database: Database
  readonly portalUrl: string
}

/**
 * `GET /login?returnTo=/local/path` → 302 to the eID provider, with PKCE S256, state and nonce.
 * @throws EidUnavailableError, EidAnswerError
 */
export const startSignIn =
  ({ eid, passport, portalUrl }: SignInDeps): RequestHandler =>
  async (req, res, next) => {
    const configuration = await eid.configuration()
    const state = randomBytes(24).toString('base64url')
    remember(req, state, { returnTo: localPath(req.query['returnTo']), startedAt: Date.now() })
    const callbackUrl = `${portalUrl}/auth/callback`
    const language = res.locals.language.code
    const strategy = new SignInStrategy(
      { phase: 'start', state, configuration, eid, callbackUrl, language },
      () => {},
    )
    // Answers with the redirect itself; only a failure comes back here.
    await authenticate(passport, strategy, req, res, next)
  }

/** Refuses what did not come from our provider before anything is sent anywhere (RFC 9207). */
const checkIssuer = (req: Request, configuration: oidc.Configuration): void => {
  const { issuer, authorization_response_iss_parameter_supported: promised } = configuration.serverMetadata()
  const iss = req.query['iss']
  if (iss === undefined ? promised : iss !== issuer) throw new SignInExpiredError('iss of another issuer')
}

/**
 * `GET /auth/callback`: checks the answer of the provider, stores the user, starts a new session (a fresh id)
 * and leads to where the user wanted to go.
 * @throws SignInExpiredError, SignInCancelledError, EidAnswerError, EidUnavailableError
 */
export const finishSignIn =
  ({ eid, passport, database, portalUrl }: SignInDeps): RequestHandler =>
  async (req, res, next) => {
    const state = req.query['state']
    const pending = typeof state === 'string' ? req.session.pendingSignIns?.[state] : undefined
    if (typeof state !== 'string' || !pending) throw new SignInExpiredError('unknown state')
    if (!req.query['code'] && !req.query['error']) throw new SignInExpiredError('neither code nor error')
    delete req.session.pendingSignIns?.[state]
    const configuration = await eid.configuration()
    checkIssuer(req, configuration)

    let idToken: string | undefined
    const verify: VerifyFunction = async (tokens, verified) => {
      const claims = tokens.claims()
      if (!claims?.sub) return verified(new EidAnswerError('no ID token, or one without a subject'))
      const id = userIdOf(claims.iss, claims.sub)
      const profile = await profileOf(configuration, tokens, claims)
      await saveUser(database.kysely, { id, issuer: claims.iss, subject: claims.sub, ...profile })
      idToken = tokens.id_token
      return verified(null, { id, ...profile, grants: [] })
    }
    const callbackUrl = `${portalUrl}/auth/callback`
    const language = res.locals.language.code
    const strategy = new SignInStrategy(
      { phase: 'finish', state, configuration, eid, callbackUrl, language },
      verify,
    )
    const user = await authenticate(passport, strategy, req, res, next)

    await startSession(req, user, idToken)
    res.redirect(pending.returnTo)
  }

/** passport gives the session a new id here, so that one planted before the sign-in is worth nothing. */
const startSession = async (req: Request, user: Express.User, idToken: string | undefined): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    req.logIn(user, (error?: unknown) => (error ? reject(error as Error) : resolve()))
  })
  req.session.signedInAt = Date.now()
  if (idToken) req.session.idToken = idToken
}

/**
 * `POST /logout`: ends our session, then the eID provider's (OpenID Connect RP-Initiated Logout 1.0), which sends
 * the browser back to `/`. Where the provider has no logout or is not there, ours ends all the same.
 */
export const signOut =
  ({ eid, portalUrl }: SignInDeps): RequestHandler =>
  async (req, res) => {
    const { idToken } = req.session
    await endSession(req)
    const configuration = eid.known()
    if (!configuration?.serverMetadata().end_session_endpoint) return res.redirect('/')
    const parameters = {
      post_logout_redirect_uri: `${portalUrl}/`,
      ...(idToken ? { id_token_hint: idToken } : {}),
    }
    return res.redirect(oidc.buildEndSessionUrl(configuration, parameters).href)
  }

/** Ends the session in the database at once; what the request still needs gets a new one, with a new id. */
export const endSession = async (req: Request): Promise<void> =>
  new Promise((resolve, reject) => {
    req.session.regenerate((error?: unknown) => (error ? reject(error as Error) : resolve()))
  })
