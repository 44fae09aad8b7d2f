import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'
import { decodeProtectedHeader, type JWTPayload } from 'jose'
import { z } from 'zod'
import { BadRequestError, EidAnswerError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import { type AuditEntry, insertAudit, logAudit } from '../store/audit.ts'
import { endSessionsOfEid, firstUse } from '../store/sessions.ts'
import { verifyProviderJwt } from './provider-jwt.ts'
import type { SignInDeps } from './sign-in.ts'
import { userIdOf } from './user-id.ts'

const backchannelEvent = 'http://schemas.openid.net/event/backchannel-logout'
/** Providers send a logout token at once, so an older one is a replay. */
const maxAgeSeconds = 5 * 60
/** Longer than any token is accepted, including clock skew. */
const rememberMs = 3 * maxAgeSeconds * 1000

/** `JWT` predates the registered type; an ID token is told apart by its nonce and its missing events. */
const types = new Set([undefined, 'jwt', 'logout+jwt', 'application/logout+jwt'])

const notEmpty = z.string().min(1).max(1000)
const claimsSchema = z
  .object({
    iss: notEmpty,
    jti: notEmpty,
    sub: notEmpty.optional(),
    sid: notEmpty.optional(),
    events: z.looseObject({ [backchannelEvent]: z.looseObject({}) }),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined, 'neither sub nor sid')

const formSchema = z.object({ logout_token: z.string().min(1) })

/**
 * `POST /auth/backchannel-logout`, form body `logout_token` (OpenID Connect Back-Channel Logout 1.0). Ends every
 * session that the token names by `sid`, `sub` or both, before it answers. 200 also when there was none.
 * A token is accepted once; when ending the sessions fails, it does not count as used.
 * @throws BadRequestError; EidAnswerError for an invalid logout token; EidUnavailableError
 */
export function backchannelLogout({ eid, database, logger, userIdSecret }: SignInDeps): RequestHandler {
  return async (req, res) => {
    const { data: form } = formSchema.safeParse(req.body)
    if (!form) throw new BadRequestError('no logout_token')
    const payload = await verifyProviderJwt(eid, form.logout_token, {
      maxAgeSeconds,
      // `exp` is checked where it is there: older providers send none, and `iat` limits the age.
      requiredClaims: ['iat', 'jti', 'events'],
    })
    const { iss, sub, sid, jti } = logoutClaims(form.logout_token, payload)
    const id = createHash('sha256')
      .update(JSON.stringify([iss, jti]))
      .digest('base64url')
    const entries = await database.kysely.transaction().execute(async (db) => {
      if (!(await firstUse(db, id, rememberMs))) throw new EidAnswerError('logout token already used')
      const userId = sub === undefined ? undefined : userIdOf(iss, sub, userIdSecret)
      const ended = (await endSessionsOfEid(db, { userId, eidSid: sid })).map((user): AuditEntry => ({
        event: 'session ended',
        userId: user,
        address: truncatedAddress(req.ip),
        details: { reason: 'back-channel' },
      }))
      await insertAudit(db, ended)
      return ended
    })
    logAudit(logger, entries)
    res.json({})
  }
}

/** The claims of a logout token. @throws EidAnswerError that names the missing or forbidden part */
function logoutClaims(jwt: string, payload: JWTPayload) {
  const typ = jwt.split('.').length === 3 ? decodeProtectedHeader(jwt).typ : undefined
  if (!types.has(typ?.toLowerCase())) throw new EidAnswerError('unexpected JWT type')
  if ('nonce' in payload) throw new EidAnswerError('logout token has a nonce')
  const { data, error } = claimsSchema.safeParse(payload)
  if (!data) throw new EidAnswerError(`invalid logout token: ${error.issues[0]?.path.join('.') || 'sub, sid'}`)
  return data
}
