import type { Request, RequestHandler } from 'express'
import type * as oidc from 'openid-client'
import { z } from 'zod'
import { type PortalError, SignInDoneError, SignInExpiredError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { Logger } from '../logger.ts'
import { beginSession } from '../sessions/begin-session.ts'
import { noteIdleEnd } from '../sessions/last-session.ts'
import type { SessionLimits } from '../sessions/session.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { createWriteCheck } from '../store/write-check.ts'
import { saveUser, saveVouchedEmail, type SignedInUser } from '../store/users.ts'
import { beginAuthorization, exchangeCode, withEid } from './authorization.ts'
import type { Eid } from './eid.ts'
import { wordOf } from './eid-error.ts'
import type { TokenEncryption } from './encrypted-token.ts'
import { checkAssurance, verifyIdToken } from './id-token.ts'
import { digestOf, type PendingSignIns } from './pending-sign-ins.ts'
import { safeReturnPath } from './safe-return-path.ts'
import { profileOf } from './profile.ts'
import { userIdOf } from './user-id.ts'

/** Dependencies of sign-in and sign-out. `portalUrl` is the public origin. */
export type SignInDeps = {
  readonly eid: Eid
  readonly database: Database
  readonly logger: Logger
  readonly tokens: TokenEncryption
  readonly portalUrl: string
  /** The secret that user IDs are derived with; undefined without USER_ID_SECRET. */
  readonly userIdSecret: Uint8Array | undefined
}

/** Dependencies of the two steps of a sign-in. */
type SignInStepDeps = SignInDeps & {
  readonly pendingSignIns: PendingSignIns
  readonly sessionLimits: SessionLimits
}

/**
 * `GET /login?returnTo=/local/path` → 302 to the eID provider, with PKCE S256, state and nonce. It writes nothing to
 * the database, but requires that the callback can.
 * @throws DatabaseUnavailableError, EidUnavailableError, EidAnswerError
 */
export function startSignIn({ eid, database, pendingSignIns, portalUrl }: SignInStepDeps): RequestHandler {
  const checkWrites = createWriteCheck(database)
  return async (req, res) => {
    await checkWrites()
    const returnTo = safeReturnPath(req.query['returnTo'])
    const language = res.locals.language.code
    const { url, ...checks } = await beginAuthorization(eid, { callbackUrl: callbackUrlOf(portalUrl), language })
    await pendingSignIns.remember(req, res, { ...checks, returnTo, startedAt: Date.now() })
    res.redirect(url.href)
  }
}

function callbackUrlOf(portalUrl: string): string {
  return `${portalUrl}/auth/callback`
}

/** The provider's answer. Other parameters are ignored; one that is given twice is refused. */
const callbackQuery = z
  .object({
    state: z.string(),
    code: z.string().min(1).optional(),
    error: z
      .string()
      .regex(/^[\w.:-]{1,100}$/)
      .optional(),
    iss: z.string().optional(),
  })
  .refine(({ code, error }) => code !== undefined || error !== undefined)
  .transform(({ state, code, error, iss }) => ({
    state,
    ...(code === undefined ? {} : { code }),
    ...(error === undefined ? {} : { error }),
    ...(iss === undefined ? {} : { iss }),
  }))

/**
 * `GET /auth/callback`: checks the provider's answer, stores the user, starts a session with a new id and redirects to
 * the requested page.
 * @throws SignInExpiredError, SignInDoneError, SignInCancelledError, EidAnswerError, EidSetupError, EidUnavailableError
 */
export function finishSignIn(deps: SignInStepDeps): RequestHandler {
  return async (req, res) => {
    const { eid, database, logger, pendingSignIns, portalUrl, sessionLimits } = deps
    // A retry of this URL always fails, so error pages link to a new sign-in.
    res.locals.returnTo = '/login'
    const { data: answer } = callbackQuery.safeParse(req.query)
    if (!answer) throw nothingToFinish(req, 'malformed callback query')
    const finished = req.user && req.session.finishedSignIn
    // Loaded again, such as by the back button: the same answer ends where it did the first time.
    if (finished?.answer === digestOf(answer.state)) return res.redirect(finished.returnTo)
    const pending = await pendingSignIns.find(req, answer.state)
    if (!pending) throw nothingToFinish(req, 'unknown state')
    res.locals.returnTo = `/login?returnTo=${encodeURIComponent(pending.returnTo)}`
    checkIssuer(answer.iss, await eid.configuration())
    // The provider takes a code once, also when the browser loads this page again meanwhile.
    const exchange = async () =>
      withEid(eid, async (configuration) => {
        const tokens = await exchangeCode(configuration, callbackUrlOf(portalUrl), answer, pending)
        return signedInOf(deps, configuration, tokens, answer.code ?? '')
      })
    const { user, issuer, subject, vouchedEmail, idToken, sid } = await pendingSignIns.use(req, res, pending, exchange)
    const signedIn = { user: { ...user, issuer, subject }, vouchedEmail }
    // A failure of the database is not an error of the provider.
    await saveUser(database.kysely, signedIn.user)
    await saveEidEmail(deps, req, signedIn)
    // Before the session begins: no sign-in without an audit entry.
    const address = truncatedAddress(req.ip)
    await recordAudit(database.kysely, logger, { event: 'sign-in', userId: user.id, address })
    const sessionUser = { ...user, email: null, eidEmail: user.email, grants: new Map() }
    await beginSession(deps, req, sessionUser, {
      encryptedIdToken: idToken && (await deps.tokens.encrypt(idToken)),
      eidSessionId: typeof sid === 'string' ? sid : undefined,
      finishedSignIn: { answer: digestOf(answer.state), returnTo: pending.returnTo },
    })
    pendingSignIns.forgetAll(req, res)
    noteIdleEnd(res, new Date(Date.now() + sessionLimits.idleMs), portalUrl.startsWith('https:'))
    return res.redirect(pending.returnTo)
  }
}

/** The user that the tokens are about, as the provider knows them. */
async function signedInOf(
  { eid, logger, userIdSecret }: SignInDeps,
  configuration: oidc.Configuration,
  tokens: Awaited<ReturnType<typeof exchangeCode>>,
  code: string,
) {
  const { claims, idToken } = await verifyIdToken(eid, tokens, code)
  const { iss: issuer = '', sub: subject, sid, acr } = claims
  const scope = wordsOf(tokens.scope) ?? `${eid.options.scope} (as asked)`
  logger.info({ issuer, acr: wordsOf(acr) ?? 'none', scope }, 'eID sign-in')
  // After the log line, which tells the operator of everybody who is refused what came instead.
  checkAssurance(claims, eid.options.requiredAcr)
  const { vouchedEmail, ...profile } = await profileOf(eid, configuration, tokens.access_token, claims)
  const id = userIdOf(issuer, subject, userIdSecret)
  return { user: { id, ...profile }, issuer, subject, vouchedEmail, idToken, sid }
}

/** Words of a provider, separated by spaces, for the log. */
function wordsOf(text: unknown): string | undefined {
  return typeof text === 'string'
    ? text
        .split(' ')
        .map((word) => wordOf(word, 100))
        .join(' ')
        .slice(0, 500)
    : undefined
}

/**
 * The error for a callback without a pending sign-in: the back button or another window when signed in, else a stale
 * link.
 */
function nothingToFinish(req: Request, reason: string): PortalError {
  return req.user ? new SignInDoneError(reason) : new SignInExpiredError(reason)
}

/** Requires the answer to come from our provider, before anything is sent to it (RFC 9207). */
function checkIssuer(iss: string | undefined, configuration: oidc.Configuration): void {
  const { issuer, authorization_response_iss_parameter_supported: isIssPromised } = configuration.serverMetadata()
  if (iss === undefined ? isIssPromised : iss !== issuer) throw new SignInExpiredError('iss is another issuer')
}

/** Stores the address that the provider vouches for as verified, unless the user already has a verified one. */
async function saveEidEmail(
  { database, logger }: Pick<SignInDeps, 'database' | 'logger'>,
  req: Request,
  { user: { id: userId }, vouchedEmail }: { readonly user: SignedInUser; readonly vouchedEmail: string | null },
): Promise<void> {
  if (vouchedEmail === null || !(await saveVouchedEmail(database.kysely, userId, vouchedEmail))) return
  const address = truncatedAddress(req.ip)
  await recordAudit(database.kysely, logger, {
    event: 'e-mail verified',
    userId,
    address,
    details: { by: 'eID' },
  })
}
