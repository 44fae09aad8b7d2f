import type { Request } from 'express'
import { truncatedAddress } from '../http/truncated-address.ts'
import { csrfToken } from '../http/csrf.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { endOldestSessions } from '../store/sessions.ts'
import { deviceOf } from './device.ts'
import { endSession, saveSession } from './session.ts'

/** A user may be signed in this often at once; the next sign-in ends the session that began first. */
const mostSessions = 10

/**
 * Signs the user in: a new session with a new id, so that one planted before the sign-in is worth nothing, and of too
 * many the oldest ends.
 */
export async function beginSession(
  { database, logger }: { readonly database: Database; readonly logger: Logger },
  req: Request,
  user: Express.User,
  eid: { readonly encryptedIdToken: string | undefined; readonly eidSessionId: string | undefined },
): Promise<void> {
  const address = truncatedAddress(req.ip)
  await endSession(req)
  req.user = user
  req.session.signedInAt = Date.now()
  req.session.encryptedIdToken = eid.encryptedIdToken
  const device = deviceOf(req.get('user-agent'))
  req.session.signIn = { userId: user.id, device, address, eidSessionId: eid.eidSessionId }
  // Now, so that no page writes the session later: of two that did at once, one would undo the other.
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
