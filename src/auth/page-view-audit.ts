import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import { truncatedAddress } from '../http/truncated-address.ts'
import { businessIdPattern, msnPattern, organisationKey, schemePattern } from '../domain/organisation.ts'
import type { AuditWriter } from '../store/audit.ts'

declare global {
  namespace Express {
    interface Locals {
      /** Named parts of the path below the organisation's own, as they were asked for. */
      routeParams?: Readonly<Record<string, unknown>>
      /** What the answer is to whoever reads the audit log; a page unless told. */
      look?: 'export'
    }
  }
}

/** Ids that the API itself has given out, and no text that somebody typed. */
const ids: Readonly<Record<string, z.ZodType<string>>> = {
  msn: z.string().regex(msnPattern),
  productOrderId: z.uuid(),
  scheme: z.string().regex(schemePattern),
  id: z.string().regex(businessIdPattern),
}

/** A page that shows by itself what is being read asks again every two seconds: within a minute it is one look. */
const sameLookMs = 60_000
/** So much is remembered, and then begun anew: an entry too many does no harm. */
const mostRemembered = 10_000

/** Notes that somebody looks at an organisation: who, which, and what; never a query. */
export type PageViewAudit = (req: Request, res: Response, event: 'page' | 'export') => void

/**
 * The first look in a session is also when somebody begins to act as the organisation. That is known without writing to
 * the session: this instance remembers, and the table is asked when the entry is written, which no page waits for.
 */
export function createPageViewAudit(audit: AuditWriter): PageViewAudit {
  const lookedAt = new Map<string, number>()
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
    const look = JSON.stringify([session, event, details, who.address])
    const now = performance.now()
    if (event === 'page' && now - (lookedAt.get(look) ?? -Infinity) < sameLookMs) return
    if (lookedAt.size >= mostRemembered) lookedAt.clear()
    lookedAt.set(look, now)
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

/** Notes every page of an organisation that is shown, once it has been: no page waits for it. */
export function auditPages(looks: PageViewAudit): RequestHandler {
  return (req, res, next) => {
    res.once('close', () => {
      if (res.headersSent && res.statusCode === 200) looks(req, res, res.locals.look ?? 'page')
    })
    next()
  }
}
