import type { RequestHandler } from 'express'
import { PortalError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { AuditWriter } from '../store/audit.ts'

/**
 * Wraps a handler and audits every sign-in that it refuses; the reason is the name of the error page. Refusals of
 * strangers are in the log only.
 */
export function auditRefusals({ audit }: { readonly audit: AuditWriter }, handler: RequestHandler): RequestHandler {
  return async (req, res, next) => {
    try {
      await handler(req, res, next)
    } catch (error) {
      const reason = error instanceof PortalError ? error.page : 'internal'
      const address = truncatedAddress(req.ip)
      audit.noteRefusal({ event: 'sign-in refused', userId: req.user?.id, address, details: { reason } })
      throw error
    }
  }
}
