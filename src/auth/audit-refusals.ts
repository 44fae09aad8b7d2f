import type { RequestHandler } from 'express'
import { PortalError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'

/**
 * Wraps a handler and writes an audit entry for every sign-in that it refuses; the reason is the name of the error
 * page.
 * A failure to write the entry is logged and does not change the answer.
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
      }).catch((err: unknown) => deps.logger.error({ err }, 'audit entry lost: sign-in refused'))
      throw error
    }
  }
}
