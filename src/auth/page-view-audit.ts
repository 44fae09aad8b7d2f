import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import { truncatedAddress } from '../http/truncated-address.ts'
import { businessIdPattern, msnPattern, organisationKey, schemePattern } from '../domain/organisation.ts'
import type { AuditWriter } from '../store/audit.ts'

declare global {
  namespace Express {
    interface Locals {
      /** The named parameters of the path below the organisation's own, as requested. */
      routeParams?: Readonly<Record<string, unknown>>
      /** The audit event for this response; `page` when absent. */
      auditEvent?: 'export'
    }
  }
}

/** Path parameters that the audit log may keep: ids in the API's formats, never free text from the user. */
const ids: Readonly<Record<string, z.ZodType<string>>> = {
  msn: z.string().regex(msnPattern),
  productOrderId: z.uuid(),
  scheme: z.string().regex(schemePattern),
  id: z.string().regex(businessIdPattern),
}

/** A page that waits for the sync reloads every two seconds; repeated views within a minute are one audit entry. */
const sameViewMs = 60_000
/** Entries remembered before the map is cleared; a duplicate audit entry does no harm. */
const mostRemembered = 10_000

/** Writes an audit entry for a view of an organisation's page: user, organisation, route and ids; never the query. */
export type PageViewAudit = (req: Request, res: Response, event: 'page' | 'export') => void

/**
 * The first view in a session also writes `acting as`. The session is not written for that: this instance remembers,
 * and the audit writer checks the table in the background.
 */
export function createPageViewAudit(audit: AuditWriter): PageViewAudit {
  const viewedAt = new Map<string, number>()
  const acting = new Set<string>()
  return (req, res, event) => {
    const { organisation, route = 'none', routeParams = {} } = res.locals
    if (!req.user || !organisation) return
    const key = organisationKey(organisation)
    const { id: userId } = req.user
    const who = { userId, organisation: key, address: truncatedAddress(req.ip) }
    const since = req.session.signedInAt ?? 0
    const session = `${userId} ${key} ${since}`
    if (!acting.has(session)) {
      if (acting.size >= mostRemembered) acting.clear()
      acting.add(session)
      audit.note({ ...who, event: 'acting as', details: { role: res.locals.role ?? 'none' } }, new Date(since))
    }
    const details = { route, ...idsOf(routeParams) }
    const view = JSON.stringify([session, event, details, who.address])
    const now = performance.now()
    if (event === 'page' && now - (viewedAt.get(view) ?? -Infinity) < sameViewMs) return
    if (viewedAt.size >= mostRemembered) viewedAt.clear()
    viewedAt.set(view, now)
    audit.note({ ...who, event, details })
  }
}

function idsOf(params: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) => {
      const id = ids[name]?.safeParse(value)
      return id?.success ? [[name, id.data]] : []
    }),
  )
}

/** Audits every successful response of an organisation's pages, after it has been sent. */
export function auditPages(auditView: PageViewAudit): RequestHandler {
  return (req, res, next) => {
    res.once('close', () => {
      if (res.headersSent && res.statusCode === 200) auditView(req, res, res.locals.auditEvent ?? 'page')
    })
    next()
  }
}
