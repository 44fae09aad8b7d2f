import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Endpoint = 'discovery' | 'token' | 'jwks' | 'userinfo'
type Answer = (res: ServerResponse) => unknown
type Json = Readonly<Record<string, unknown>>

/** Something that signs JWTs. */
export type Signer = {
  readonly header: Json
  /** As a provider publishes it; nothing where it does not. */
  readonly jwk: Json | undefined
  readonly sign: (content: string) => string
}

/** What the provider gets wrong; everything that is not named it does right. */
export type Lies = {
  /** Answers an endpoint instead of the provider. */
  readonly answer?: Partial<Record<Endpoint, Answer>>
  /** Leads from this endpoint to another address, where the right answer is. */
  readonly elsewhere?: Endpoint
  /** Over the right ones; undefined leaves one out. */
  readonly metadata?: Json
  readonly claims?: Json
  readonly header?: Json
  readonly userinfo?: Json
  /** What stands in the token endpoint's answer beside the ID token. */
  readonly tokens?: Json
  /** Signs the ID token instead of the provider's own key. */
  readonly signer?: Signer
  /** What the provider publishes instead of its own key. */
  readonly keys?: readonly (Json | undefined)[]
}

/** An OpenID Connect provider that does as it is told. Its authorization endpoint is the test itself. */
export type LyingProvider = {
  readonly issuer: string
  /** Its own key. */
  readonly own: Signer
  /** From now on; instead of all earlier lies. `nonce` is the one that the next ID token carries. */
  readonly lie: (lies: Lies, nonce?: string) => void
  /** How often an endpoint has been asked. */
  readonly calls: (endpoint: Endpoint) => number
  /** A JWT with these claims, signed with its own key, or with one that it does not publish. */
  readonly sign: (claims: Json, header?: Json, foreignKey?: boolean) => string
  readonly stop: () => Promise<void>
}

/** Answers with a body of some type. */
export function answers(status: number, body: string | Json, type = 'application/json'): Answer {
  return (res) =>
    res.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** A new key. */
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

/** Signs with a secret that both sides know, or that one side takes for one. */
export function secretSigner(secret: string): Signer {
  return {
    header: { alg: 'HS256' },
    jwk: undefined,
    sign: (content) => createHmac('sha256', secret).update(content).digest('base64url'),
  }
}

/** Does not sign. */
export const unsigned: Signer = { header: { alg: 'none' }, jwk: undefined, sign: () => '' }

/** @param header over the signer's */
export function jwtOf(signer: Signer, claims: Json, header: Json = {}): string {
  const content = `${base64url({ ...signer.header, ...header })}.${base64url(claims)}`
  return `${content}.${signer.sign(content)}`
}

function base64url(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** @param port 0 for any that is free */
export async function startLyingProvider(port = 0): Promise<LyingProvider> {
  const [own, foreign] = [newSigner('ES256', 'key-of-the-tests'), newSigner('ES256', 'key-of-the-tests')]
  let lies: Lies = {}
  let nonce = ''
  const asked: Record<Endpoint, number> = { discovery: 0, token: 0, jwks: 0, userinfo: 0 }
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const metadata = (): Json => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    ...lies.metadata,
  })
  const idToken = (): string => {
    const now = Math.floor(Date.now() / 1000)
    const right = { iss: issuer, sub: 'somebody', aud: 'portal', iat: now, exp: now + 300, nonce }
    return jwtOf(lies.signer ?? own, { ...right, ...lies.claims }, lies.header)
  }
  const tokens = () => ({
    access_token: 'access-token-of-the-tests',
    token_type: 'Bearer',
    id_token: idToken(),
    ...lies.tokens,
  })
  const userinfo = () => ({
    sub: 'somebody',
    name: 'Some Body',
    email: 'some.body@example.com',
    email_verified: true,
    ...lies.userinfo,
  })
  const truth: Record<Endpoint, () => Json> = {
    discovery: metadata,
    jwks: () => ({ keys: lies.keys ?? [own.jwk] }),
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
    const endpoint = endpoints[pathname]
    if (!endpoint) return answers(404, {})(res)
    asked[endpoint] += 1
    if (lies.elsewhere === endpoint && search === '') return res.writeHead(307, { location: `${pathname}?again` }).end()
    return (lies.answer?.[endpoint] ?? answers(200, truth[endpoint]()))(res)
  })

  return {
    issuer,
    own,
    lie: (newLies, newNonce = '') => {
      lies = newLies
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
