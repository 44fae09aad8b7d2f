import type { RequestHandler } from 'express'
import { PortalError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'

/**
 * The handler, and an entry in the audit log for every sign-in that it refuses: the reason is the name of the error's
 * page. An entry that cannot be written changes nothing of what the user sees.
 */
export function auditRefusals(
  deps: { readonly database: Database; readonly logger: Logger },
  handler: RequestHandler,
): RequestHandler {
  return async (req, res, next) => {
    try {
      await handler(req, res, next)
    } catch (error) {
      const reason = error instanceof PortalError ? error.page : 'internal'
      await recordAudit(deps.database.kysely, deps.logger, {
        event: 'sign-in refused',
        address: truncatedAddress(req.ip),
        details: { reason },
      }).catch((err: unknown) => deps.logger.error({ err }, 'a refused sign-in is not in the audit log'))
      throw error
    }
  }
}
