import { randomUUID } from 'node:crypto'
import express, { type Request, Router } from 'express'
import { organisationKey } from '../../src/domain/organisation.ts'
import type { DemoOrganisation, DemoWorld } from '../world/types.ts'
import { Problem } from './problems.ts'
import { recordCaller } from './requests.ts'
import { canUseMsn } from './visibility.ts'

/** Issues tokens and finds their owners. */
export type Tokens = {
  issue(caller: DemoOrganisation, lifetimeSeconds: number): string
  /** The organisation of a token; undefined when it is unknown, expired or revoked. */
  owner(token: string): DemoOrganisation | undefined
  revokeAll(): void
}

/** Keeps tokens in memory until they are revoked. */
export function createTokens(): Tokens {
  const issued = new Map<string, { caller: DemoOrganisation; expiresAt: number }>()
  return {
    issue: (caller, lifetimeSeconds) => {
      const token = `demo-token-${randomUUID()}`
      issued.set(token, { caller, expiresAt: Date.now() + lifetimeSeconds * 1000 })
      return token
    },
    owner: (token) => {
      const known = issued.get(token)
      return known && known.expiresAt > Date.now() ? known.caller : undefined
    },
    revokeAll: () => issued.clear(),
  }
}

/** The organisation that a request claims by token or client id, verified or not; '' without one. */
export function claimedCaller(world: DemoWorld, tokens: Tokens, req: Request): string {
  const token = /^Bearer (\S+)$/i.exec(req.get('Authorization') ?? '')?.[1]
  const clientId = req.get('client_id') ?? basicCredentials(req)?.[0]
  const caller =
    token === undefined ? world.organisations.find(({ keys }) => keys.clientId === clientId) : tokens.owner(token)
  return caller ? organisationKey(caller.organisation) : ''
}

function basicCredentials(req: Request): [id: string, secret: string] | undefined {
  const encoded = /^Basic ([\w+/=]+)$/i.exec(req.get('Authorization') ?? '')?.[1]
  const [, id, secret] = /^([^:]*):(.*)$/.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? []
  return id === undefined || secret === undefined ? undefined : [id, secret]
}

/**
 * The two token endpoints. Each accepts only its own kind of credentials.
 * @param lifetimeSeconds of both kinds of token; by default 24 hours (standard) and 15 minutes (management)
 */
export function tokenRoutes(world: DemoWorld, tokens: Tokens, lifetimeSeconds?: number): Router {
  const router = Router()

  router.post('/accesstoken/get', (req, res) => {
    const caller = standardClient(world, req)
    recordCaller(res, caller.organisation)
    const lifetime = lifetimeSeconds ?? 86_400
    res.json({
      token_type: 'Bearer',
      expires_in: String(lifetime),
      ext_expires_in: String(lifetime),
      expires_on: String(Math.floor(Date.now() / 1000) + lifetime),
      access_token: tokens.issue(caller, lifetime),
    })
  })

  router.post('/miami/v1/token', express.urlencoded({ extended: false }), (req, res) => {
    const credentials = basicCredentials(req)
    const caller = world.organisations.find(
      ({ keys }) =>
        keys.type === 'management' && keys.clientId === credentials?.[0] && keys.clientSecret === credentials[1],
    )
    if (!caller || req.get('Ocp-Apim-Subscription-Key') !== undefined) {
      res.status(401).json({ error: 'invalid_client' })
      return
    }
    const form: Record<string, unknown> = req.body ?? {}
    const grantType = form['grant_type']
    if (grantType !== 'client_credentials') {
      res.status(400).json({ error: grantType === undefined ? 'invalid_request' : 'unsupported_grant_type' })
      return
    }
    recordCaller(res, caller.organisation)
    const lifetime = lifetimeSeconds ?? 900
    res.json({ access_token: tokens.issue(caller, lifetime), token_type: 'Bearer', expires_in: lifetime })
  })

  return router
}

/**
 * The organisation whose credentials are in the headers of a standard token request. @throws Problem that does not say
 * which part is wrong
 */
function standardClient(world: DemoWorld, req: Request): DemoOrganisation {
  const caller = world.organisations.find(
    ({ keys }) =>
      keys.type !== 'management' &&
      keys.clientId === req.get('client_id') &&
      keys.clientSecret === req.get('client_secret') &&
      keys.subscriptionKey === req.get('Ocp-Apim-Subscription-Key'),
  )
  if (!caller) throw new Problem(401, 'client_id, client_secret or subscription key is not valid.')
  const msn = req.get('Merchant-Serial-Number')
  if (msn !== undefined && !canUseMsn(world, caller, msn)) {
    throw new Problem(401, 'Merchant-Serial-Number does not belong to these keys.')
  }
  return caller
}
