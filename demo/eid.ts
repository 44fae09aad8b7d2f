import { fileURLToPath } from 'node:url'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { type JWKS, Provider } from 'oidc-provider'
// The default, made by hand: otherwise the library warns at every start that it forgets, which a demo may.
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
import { compileViews, viewClass } from '../src/presentation/view-engine.ts'
import type { DemoPerson } from './people.ts'

/** The configuration of the demo eID. */
export type DemoEidOptions = {
  /** Its own origin, such as http://127.0.0.1:3001. */
  readonly issuer: string
  readonly portalUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly people: readonly DemoPerson[]
  /** Private signing keys, kept between starts, so that a sign-out works after a restart. */
  readonly jwks: JWKS
  readonly cookieKeys: readonly string[]
}

const views = fileURLToPath(new URL('./views', import.meta.url))
const minute = 60

/** The assurance level of every demo person, when a level is requested. */
const demoAcr = 'urn:example:high'

/**
 * An OpenID Connect provider whose sign-in is a list of people to choose from. Authorization code flow with PKCE,
 * userinfo, RP-initiated and back-channel logout; all state is in memory.
 */
export function createDemoEid(options: DemoEidOptions): Express {
  const { people } = options
  const render = compileViews(views)
  const provider = new Provider(options.issuer, {
    clients: [
      {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        redirect_uris: [`${options.portalUrl}/auth/callback`],
        post_logout_redirect_uris: [`${options.portalUrl}/`],
        id_token_signed_response_alg: 'ES256',
        backchannel_logout_uri: `${options.portalUrl}/auth/backchannel-logout`,
        // Adds `sid` to ID tokens and logout tokens.
        backchannel_logout_session_required: true,
      },
    ],
    adapter: createMemoryAdapter(0),
    jwks: options.jwks,
    cookies: { keys: [...options.cookieKeys] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    acrValues: [demoAcr],
    pkce: { required: () => true },
    ttl: {
      AccessToken: 10 * minute,
      AuthorizationCode: minute,
      Grant: 60 * minute,
      IdToken: 60 * minute,
      Interaction: 60 * minute,
      Session: 60 * minute,
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          // The library passes finished HTML; the two values are all that our own page needs.
          const [action, xsrf] = ['action', 'value'].map((name) => new RegExp(`${name}="([^"]+)"`).exec(form)?.[1])
          ctx.body = render('layout/page', { view: 'sign-out', title: 'Signing out', action, xsrf })
        },
      },
    },
    // The library's own dispatcher refuses loopback addresses, where the portal listens. Only the portal is ever
    // called.
    fetch: (url, init) => {
      const { dispatcher: _dispatcher, ...plain } = { ...init } as RequestInit & { dispatcher?: unknown }
      return fetch(url, plain)
    },
    findAccount: (_ctx, sub) => {
      const person = people.find((candidate) => candidate.sub === sub)
      if (!person) return undefined
      const { name, email, emailVerified } = person
      return { accountId: sub, claims: () => ({ sub, name, email, email_verified: emailVerified }) }
    },
    // Consent is implicit: the portal is the only client.
    loadExistingGrant: async (ctx) => {
      const { client, session } = ctx.oidc
      if (!client || !session?.accountId) return undefined
      // One grant for all tabs: another one would invalidate the codes of earlier tabs.
      const existing = await provider.Grant.find(session.grantIdFor(client.clientId) ?? '')
      if (existing) return existing
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
    renderError: (ctx, { error, error_description: description }) => {
      ctx.body = render('layout/page', { view: 'error', title: 'That did not work', error, description })
    },
  })

  const app = express()
  app.set('view', viewClass(render))
  app.get('/interaction/:uid', async (req, res) => {
    const { uid } = await provider.interactionDetails(req, res)
    res.render('people', { title: 'Demo eID', uid, people })
  })
  app.post('/interaction/:uid', express.urlencoded({ extended: false }), async (req, res) => {
    const { sub } = req.body as { sub?: string }
    const result = people.some((person) => person.sub === sub)
      ? { login: { accountId: String(sub), acr: demoAcr } }
      : { error: 'access_denied', error_description: 'The person said no' }
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false })
  })
  app.use(provider.callback())
  const failed: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
    const description = error instanceof Error ? error.message : 'unknown error'
    res.status(400).render('error', { title: 'That did not work', error: 'error', description })
  }
  app.use(failed)
  return app
}
