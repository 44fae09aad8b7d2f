import type { Request } from 'express'
import { truncatedAddress } from '../http/truncated-address.ts'
import { csrfToken } from '../http/csrf.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { endOldestSessions } from '../store/sessions.ts'
import { deviceOf } from './device.ts'
import { endSession, type FinishedSignIn, saveSession } from './session.ts'

/** The number of concurrent sessions of a user; the next sign-in ends the oldest one. */
const mostSessions = 10

/**
 * Signs the user in with a new session and a new id, which defeats session fixation, and ends the oldest session over
 * the limit.
 */
export async function beginSession(
  { database, logger }: { readonly database: Database; readonly logger: Logger },
  req: Request,
  user: Express.User,
  eid: {
    readonly encryptedIdToken: string | undefined
    readonly eidSessionId: string | undefined
    readonly finishedSignIn: FinishedSignIn
  },
): Promise<void> {
  const address = truncatedAddress(req.ip)
  await endSession(req)
  req.user = user
  req.session.signedInAt = Date.now()
  req.session.encryptedIdToken = eid.encryptedIdToken
  req.session.finishedSignIn = eid.finishedSignIn
  const device = deviceOf(req.get('user-agent'))
  req.session.signIn = { userId: user.id, device, address, eidSessionId: eid.eidSessionId }
  // Created now, so that no page writes the session later; concurrent writes would overwrite each other.
  csrfToken(req)
  await saveSession(req)
  const ended = await endOldestSessions(database.kysely, user.id, mostSessions)
  for (let count = 0; count < ended; count += 1)
    await recordAudit(database.kysely, logger, {
      event: 'session ended',
      userId: user.id,
      address,
      details: { reason: 'too many' },
    })
}
