import { createHash } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import * as oidc from 'openid-client'
import { coarseAddress } from '../http/coarse-address.ts'
import { csrfToken } from '../http/csrf.ts'
import { deviceOf } from '../http/device.ts'
import { endSession, saveSession } from '../http/session.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { endOldestSessions } from '../store/sessions.ts'
import { findUserWithGrants } from '../store/users.ts'
import type { Eid } from './eid.ts'
import type { Sealer } from './sealed-token.ts'

/** A user may be signed in this often at once; the next sign-in ends the session that began first. */
const mostSessions = 10

/** What beginning and ending a user's session needs. `portalUrl` is the public origin. */
export type SessionDeps = {
  readonly eid: Eid
  readonly database: Database
  readonly logger: Logger
  readonly sealer: Sealer
  readonly portalUrl: string
}

/** What the eID's answer leaves in the session. */
export type FromEid = {
  readonly idToken: string | undefined
  /** `sid` of the ID token: the eID's own session. */
  readonly eidSid: unknown
}

/** Digest of what a user may do: when it differs from what the session saw, the session gets a new id. */
export const rightsOf = ({ grants }: Pick<Express.User, 'grants'>): string =>
  createHash('sha256')
    .update(JSON.stringify([...grants].toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64url')
    .slice(0, 22)

/**
 * Signs the user in: a new session with a new id (passport sees to it), so that one planted before the sign-in is worth
 * nothing, and of too many the oldest ends.
 */
export const startSession = async (
  { database, logger, sealer }: SessionDeps,
  req: Request,
  user: Express.User,
  { idToken, eidSid }: FromEid,
): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    req.logIn(user, (error?: unknown) => (error ? reject(error) : resolve()))
  })
  const known = await findUserWithGrants(database.kysely, user.id)
  const { session } = req
  session.signedInAt = Date.now()
  session.device = deviceOf(req.get('user-agent'))
  session.address = coarseAddress(req.ip)
  if (known) session.rights = rightsOf(known)
  if (idToken) session.idToken = await sealer.seal(idToken)
  if (typeof eidSid === 'string') session.eidSid = eidSid
  // Now, so that no page writes the session later: of two that did at once, one would undo the other.
  csrfToken(req)
  await saveSession(req)
  const ended = await endOldestSessions(database.kysely, user.id, mostSessions)
  for (let count = 0; count < ended; count += 1)
    await recordAudit(database.kysely, logger, {
      event: 'session ended',
      userId: user.id,
      address: coarseAddress(req.ip),
      details: { reason: 'too many' },
    })
}

/**
 * `POST /logout`: ends our session, then the eID provider's (OpenID Connect RP-Initiated Logout 1.0), which sends
 * the browser back to `/`. Where the provider has no logout or is not there, ours ends all the same. The library adds
 * client_id, which the provider needs where there is no hint; `state` would come back to a page that has no use for it.
 */
export const signOut =
  ({ eid, database, logger, sealer, portalUrl }: SessionDeps): RequestHandler =>
  async (req, res) => {
    const { idToken } = req.session
    const userId = req.user?.id
    await endSession(req)
    await recordAudit(database.kysely, logger, {
      event: 'sign-out',
      userId,
      address: coarseAddress(req.ip),
    })
    // Browsers keep pages for the back button even where nothing may be stored.
    res.set('Clear-Site-Data', '"cache"')
    const configuration = eid.known()
    if (!configuration?.serverMetadata().end_session_endpoint) return res.redirect('/')
    const hint = idToken === undefined ? undefined : await sealer.open(idToken)
    const parameters = {
      post_logout_redirect_uri: `${portalUrl}/`,
      ...(hint ? { id_token_hint: hint } : {}),
    }
    return res.redirect(oidc.buildEndSessionUrl(configuration, parameters).href)
  }
