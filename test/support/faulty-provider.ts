import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Endpoint = 'discovery' | 'token' | 'jwks' | 'userinfo'
type Answer = (res: ServerResponse) => unknown
type Json = Readonly<Record<string, unknown>>

/** Signs JWTs. */
export type Signer = {
  readonly header: Json
  /** The public key as the provider publishes it, if it does. */
  readonly jwk: Json | undefined
  readonly sign: (content: string) => string
}

/** The faults of the provider; everything else is valid. */
export type ProviderFaults = {
  /** Replaces the response of an endpoint. */
  readonly answer?: Partial<Record<Endpoint, Answer>>
  /** Redirects this endpoint to another URL with the valid response. */
  readonly redirect?: Endpoint
  /** Overrides valid members; undefined omits one. */
  readonly metadata?: Json
  readonly claims?: Json
  readonly header?: Json
  readonly userinfo?: Json
  /** Overrides members of the token response. */
  readonly tokens?: Json
  /** Signs the ID token instead of the provider's key. */
  readonly signer?: Signer
  /** The published keys instead of the provider's own. */
  readonly keys?: readonly (Json | undefined)[]
}

/** An OpenID Connect provider with configurable faults. The test itself takes the part of the authorization endpoint. */
export type FaultyProvider = {
  readonly issuer: string
  /** The issuer without its path. */
  readonly origin: string
  /** The provider's own key. */
  readonly own: Signer
  /** Replaces all faults. `nonce` is the nonce of the next ID token. */
  readonly setFaults: (faults: ProviderFaults, nonce?: string) => void
  /** The number of requests to an endpoint. */
  readonly calls: (endpoint: Endpoint) => number
  /** A JWT with these claims, signed with the provider's key or an unpublished one. */
  readonly sign: (claims: Json, header?: Json, foreignKey?: boolean) => string
  readonly stop: () => Promise<void>
}

/** Responds with this status, body and content type. */
export function answers(status: number, body: string | Json, type = 'application/json'): Answer {
  return (res) =>
    res.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** Generates a key pair and returns its signer. */
export function newSigner(alg: 'ES256' | 'RS256' | 'PS256' | 'EdDSA', kid: string): Signer {
  const { privateKey, publicKey } = pairOf(alg)
  const key = {
    key: privateKey,
    dsaEncoding: 'ieee-p1363' as const,
    ...(alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}),
  }
  return {
    header: { alg, kid },
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    sign: (content) => sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(content), key).toString('base64url'),
  }
}

function pairOf(alg: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** Signs with a shared secret (HS256). */
export function secretSigner(secret: string): Signer {
  return {
    header: { alg: 'HS256' },
    jwk: undefined,
    sign: (content) => createHmac('sha256', secret).update(content).digest('base64url'),
  }
}

/** Creates unsigned tokens (alg none). */
export const unsigned: Signer = { header: { alg: 'none' }, jwk: undefined, sign: () => '' }

/** @param header overrides members of the signer's header */
export function jwtOf(signer: Signer, claims: Json, header: Json = {}): string {
  const content = `${base64url({ ...signer.header, ...header })}.${base64url(claims)}`
  return `${content}.${signer.sign(content)}`
}

function base64url(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** @param port 0 for any free port @param path the path of the issuer */
export async function startFaultyProvider(port = 0, path = ''): Promise<FaultyProvider> {
  const [own, foreign] = [newSigner('ES256', 'key-of-the-tests'), newSigner('ES256', 'key-of-the-tests')]
  let faults: ProviderFaults = {}
  let nonce = ''
  const asked: Record<Endpoint, number> = { discovery: 0, token: 0, jwks: 0, userinfo: 0 }
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = origin + path

  const metadata = (): Json => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    ...faults.metadata,
  })
  const idToken = (): string => {
    const now = Math.floor(Date.now() / 1000)
    const right = { iss: issuer, sub: 'some-user', aud: 'portal', iat: now, exp: now + 300, nonce }
    return jwtOf(faults.signer ?? own, { ...right, ...faults.claims }, faults.header)
  }
  const tokens = () => ({
    access_token: 'access-token-of-the-tests',
    token_type: 'Bearer',
    id_token: idToken(),
    ...faults.tokens,
  })
  const userinfo = () => ({
    sub: 'some-user',
    name: 'Some Body',
    email: 'some.body@example.com',
    email_verified: true,
    ...faults.userinfo,
  })
  const truth: Record<Endpoint, () => Json> = {
    discovery: metadata,
    jwks: () => ({ keys: faults.keys ?? [own.jwk] }),
    token: tokens,
    userinfo,
  }
  const endpoints: Readonly<Record<string, Endpoint>> = {
    '/.well-known/openid-configuration': 'discovery',
    '/token': 'token',
    '/jwks': 'jwks',
    '/userinfo': 'userinfo',
  }
  server.on('request', (req, res) => {
    const { pathname, search } = new URL(req.url ?? '', issuer)
    const endpoint = endpoints[pathname.replace(path.replace(/\/$/, ''), '')]
    if (!endpoint) return answers(404, {})(res)
    asked[endpoint] += 1
    if (faults.redirect === endpoint && search === '')
      return res.writeHead(307, { location: `${pathname}?again` }).end()
    return (faults.answer?.[endpoint] ?? answers(200, truth[endpoint]()))(res)
  })

  return {
    issuer,
    origin,
    own,
    setFaults: (newFaults, newNonce = '') => {
      faults = newFaults
      nonce = newNonce
    },
    calls: (endpoint) => asked[endpoint],
    sign: (claims, header = {}, foreignKey = false) => jwtOf(foreignKey ? foreign : own, claims, header),
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
