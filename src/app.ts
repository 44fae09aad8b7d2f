import { fileURLToPath } from 'node:url'
import express, { type Express } from 'express'
import { requireVerifiedEmail, actAs, requireUser } from './auth/access.ts'
import { createEmailCodes } from './auth/email-codes.ts'
import { createTokenEncryption } from './auth/encrypted-token.ts'
import { createPendingSignIns } from './auth/pending-sign-ins.ts'
import { auditPages, createPageViewAudit } from './auth/page-view-audit.ts'
import { noteVisits } from './auth/visits.ts'
import type { Brand } from './brand/brand.ts'
import type { Config } from './config/config.ts'
import { limitConcurrency } from './rate-limits/concurrency.ts'
import { createExportLimits } from './rate-limits/export-limits.ts'
import { createRateLimits } from './rate-limits/rate-limits.ts'
import { clientAddress } from './http/client-address.ts'
import { limitFloods } from './rate-limits/floods.ts'
import { csrfToken } from './http/csrf.ts'
import { compressedPages } from './http/compression.ts'
import { errorPages, lastResort, notFound } from './http/error-pages.ts'
import { health, type Readiness } from './http/health.ts'
import { loadLanguages } from './presentation/language.ts'
import { viewLocals } from './presentation/view-locals.ts'
import { requestContext } from './http/request-context.ts'
import { requireDecodablePath, requirePath } from './http/request-target.ts'
import { personalPages, securityHeaders } from './http/security-headers.ts'
import { createStaticFiles } from './http/static-files.ts'
import { compileViews, viewClass } from './presentation/view-engine.ts'
import type { PageDeps } from './pages/deps.ts'
import { explainEndedAccess } from './pages/account/no-access.ts'
import { withSwitcher } from './pages/account/switcher.ts'
import { siteMap } from './pages/routes.ts'
import { warnOfUntrustedProxy } from './http/untrusted-proxy.ts'
import { sessions } from './sessions/middleware.ts'
import {
  guardNavigations,
  mount,
  mountForServers,
  mountMailLinks,
  mountOrganisation,
  nameRoute,
  withLists,
  withMenu,
} from './pages/mount.ts'

/** Dependencies of the app, which does not open or close them. */
export type AppDeps = Omit<PageDeps, 'languages' | 'emailCodes' | 'pendingSignIns' | 'tokens' | 'exportLimits'> & {
  readonly config: Config
  readonly brand: Brand
  readonly readiness: Readiness
}

const views = fileURLToPath(new URL('../views', import.meta.url))

/** Creates the Express app, with all middleware in order. Does no I/O itself. */
export function createApp(deps: AppDeps): Express {
  const { config, database, logger, eid, audit } = deps
  const app = express()
  const files = createStaticFiles(deps.brand)
  const languages = loadLanguages(`${views}/locales`, config.serviceName)
  const floods = limitFloods(config, logger)
  const rateLimits = createRateLimits({ secrets: config.sessionSecrets, database, audit })
  const tokens = createTokenEncryption(config.sessionSecrets, 'ID tokens in sessions')
  const pendingSignIns = createPendingSignIns(config)
  const render = compileViews(views)
  const emailCodes = createEmailCodes({ config, database, logger, audit, render })
  const exportLimits = createExportLimits(audit)
  const pages = siteMap({ ...deps, languages, emailCodes, pendingSignIns, tokens, exportLimits })

  app.disable('x-powered-by')
  app.set('trust proxy', config.trustProxy)
  app.set('query parser', 'simple')
  app.set('etag', false)
  app.set('view', viewClass(render))

  app.use(floods.early)
  app.use(clientAddress, warnOfUntrustedProxy(config.isProxyUnset, logger), requestContext(logger))
  app.use(securityHeaders({ https: config.https, formActionOrigins: eid.signOutOrigins }))
  app.use(files.router)
  app.use(health(deps.readiness))
  app.use(compressedPages)
  app.use(personalPages)
  const { brand, demoNotice } = deps
  app.use(viewLocals({ languages, ...files, name: brand.name, config, demoNotice, csrfToken }), requirePath)
  app.use(mountForServers(pages.servers, rateLimits.addresses, logger), mountMailLinks(pages.mailLinks))
  app.use(guardNavigations(pages.anyone, pages.account), rateLimits.addresses)
  const { sessionSecrets: secrets, sessionLimits: limits, https } = config
  app.use(sessions({ secrets, https, limits, database, logger }))
  app.use(floods.late, rateLimits.users, limitConcurrency(), requireDecodablePath)
  app.use(mount(pages.anyone))
  app.use(requireUser)
  app.use(mount(pages.account), requireVerifiedEmail)
  app.use(mount(pages.user))
  const auditViews = auditPages(createPageViewAudit(audit))
  const visits = noteVisits(database, logger)
  for (const kind of ['partner', 'merchant'] as const) {
    const section = pages[kind]
    app.use(
      section.prefix,
      nameRoute(section),
      actAs(kind, deps),
      withLists(deps.freshness),
      withMenu(section),
      withSwitcher(deps, pages),
      auditViews,
      visits,
      mountOrganisation(section, audit),
    )
  }
  app.use(notFound, explainEndedAccess(deps))
  app.use(errorPages(logger), lastResort(logger))
  return app
}
