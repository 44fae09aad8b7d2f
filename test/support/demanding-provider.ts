import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { type ClientMetadata, type Configuration, errors, Provider } from 'oidc-provider'
// The default adapter, passed explicitly: otherwise the library warns at every start.
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
import { newSigningKey } from '../../demo/state.ts'

/** What the provider requires of its client. */
export type Demands = {
  readonly client?: Partial<ClientMetadata>
  readonly features?: Configuration['features']
  /** Where the secret must be; the library itself accepts both places. */
  readonly secretIn?: 'header' | 'body'
  /** The only audience of client assertions; the library accepts several. */
  readonly assertionAudience?: string
}

/** A real OpenID Connect provider with the test's requirements; it signs in every visitor as Mary. */
export type DemandingProvider = {
  readonly issuer: string
  /** Registers the portal with these requirements; call it before the first sign-in. The keys come from the portal. */
  readonly demand: (portalUrl: string, demands: Demands) => void
  /** The parameters of the last authorization request from the browser. */
  readonly lastRequest: () => URLSearchParams
  /** The header `Authorization` of the last request to the token endpoint. */
  readonly lastAuthorization: () => string
  readonly stop: () => Promise<void>
}

/** Starts the provider on a free loopback port. */
export async function startDemandingProvider(): Promise<DemandingProvider> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let lastRequest = new URLSearchParams()
  let lastAuthorization = ''

  const appFor = (portalUrl: string, { client, features, secretIn, assertionAudience }: Demands) => {
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'portal',
          client_secret: 'client-secret-of-the-tests',
          redirect_uris: [`${portalUrl}/auth/callback`],
          jwks_uri: `${portalUrl}/auth/jwks.json`,
          id_token_signed_response_alg: 'ES256',
          ...client,
        },
      ],
      adapter: createMemoryAdapter(0),
      jwks: { keys: [newSigningKey()] },
      cookies: { keys: ['cookie-key-of-the-tests'] },
      claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
      pkce: { required: () => true },
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      enabledJWA: {
        clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
        requestObjectSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
        idTokenEncryptionAlgValues: ['RSA-OAEP-256', 'RSA-OAEP', 'ECDH-ES', 'ECDH-ES+A256KW'],
        idTokenSigningAlgValues: ['ES256', 'HS256'],
        userinfoSigningAlgValues: ['ES256'],
        userinfoEncryptionAlgValues: ['RSA-OAEP-256', 'ECDH-ES+A256KW'],
      },
      // The library refuses loopback addresses, where it must fetch the portal's keys; drop that restriction.
      fetch: async (url, options) => {
        const { dispatcher: _refusesLoopback, ...rest } = options as RequestInit & { dispatcher?: unknown }
        return fetch(url, rest)
      },
      assertJwtClientAuthClaimsAndHeader: async (_ctx, { aud }) => {
        if (assertionAudience !== undefined && aud !== assertionAudience)
          throw new errors.InvalidClientAuth('another audience')
      },
      ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
      features: { devInteractions: { enabled: false }, ...features },
      findAccount: (_ctx, sub) => ({
        accountId: sub,
        claims: () => ({ sub, name: 'Mary Ann', email: 'mary@example.com', email_verified: true }),
      }),
      loadExistingGrant: async (ctx) => {
        const grant = new provider.Grant({
          clientId: String(ctx.oidc.client?.clientId),
          accountId: String(ctx.oidc.session?.accountId),
        })
        grant.addOIDCScope('openid profile email')
        await grant.save()
        return grant
      },
    })
    const app = express()
    app.use((req, _res, next) => {
      const { pathname, searchParams } = new URL(req.url, issuer)
      if (pathname === '/auth') lastRequest = searchParams
      next()
    })
    app.post('/token', (req, res, next) => {
      lastAuthorization = req.headers.authorization ?? ''
      const header = req.headers.authorization !== undefined
      if (secretIn && header !== (secretIn === 'header')) res.status(401).json({ error: 'invalid_client' })
      else next()
    })
    app.get('/interaction/:uid', async (req, res) => {
      await provider.interactionFinished(req, res, { login: { accountId: 'mary' } })
    })
    app.use(provider.callback())
    return app
  }

  return {
    issuer,
    demand: (portalUrl, demands) => {
      server.removeAllListeners('request')
      server.on('request', appFor(portalUrl, demands) as RequestListener)
    },
    lastRequest: () => lastRequest,
    lastAuthorization: () => lastAuthorization,
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
