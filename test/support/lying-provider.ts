import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Endpoint = 'discovery' | 'token' | 'jwks' | 'userinfo'
type Answer = (res: ServerResponse) => unknown
type Json = Readonly<Record<string, unknown>>

/** What the provider gets wrong; everything that is not named it does right. */
export type Lies = {
  /** Answers an endpoint instead of the provider. */
  readonly answer?: Partial<Record<Endpoint, Answer>>
  /** Over the right ones; undefined leaves one out. */
  readonly metadata?: Json
  readonly claims?: Json
  readonly header?: Json
  readonly userinfo?: Json
  /** Signs with a key that it does not publish. */
  readonly foreignKey?: boolean
}

/** An OpenID Connect provider that does as it is told. Its authorization endpoint is the test itself. */
export type LyingProvider = {
  readonly issuer: string
  /** From now on; instead of all earlier lies. `nonce` is the one that the next ID token carries. */
  readonly lie: (lies: Lies, nonce?: string) => void
  /** A JWT with these claims, signed with its own key, or with one that it does not publish. */
  readonly sign: (claims: Json, header?: Json, foreignKey?: boolean) => string
  readonly stop: () => Promise<void>
}

/** Answers with a body of some type. */
export const answers =
  (status: number, body: string | Json, type = 'application/json'): Answer =>
  (res) =>
    res
      .writeHead(status, { 'content-type': type })
      .end(typeof body === 'string' ? body : JSON.stringify(body))

const base64url = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const kid = 'key-of-the-tests'

const jwtOf = (header: Json, claims: Json, key: KeyObject): string => {
  const content = `${base64url(header)}.${base64url(claims)}`
  if (header['alg'] === 'none') return `${content}.`
  const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' })
  return `${content}.${signature.toString('base64url')}`
}

/** @param port 0 for any that is free */
export const startLyingProvider = async (port = 0): Promise<LyingProvider> => {
  const [own, foreign] = [newKey(), newKey()]
  let lies: Lies = {}
  let nonce = ''
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
    const claims = {
      iss: issuer,
      sub: 'somebody',
      aud: 'portal',
      iat: now,
      exp: now + 300,
      nonce,
      ...lies.claims,
    }
    const { privateKey } = lies.foreignKey ? foreign : own
    return jwtOf({ alg: 'ES256', kid, ...lies.header }, claims, privateKey)
  }
  const truth: Record<Endpoint, Answer> = {
    discovery: (res) => answers(200, metadata())(res),
    jwks: (res) =>
      answers(200, { keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] })(
        res,
      ),
    token: (res) =>
      answers(200, { access_token: 'access-token-of-the-tests', token_type: 'Bearer', id_token: idToken() })(
        res,
      ),
    userinfo: (res) =>
      answers(200, { sub: 'somebody', name: 'Some Body', email: 'some.body@example.com', ...lies.userinfo })(
        res,
      ),
  }
  const endpoints: Readonly<Record<string, Endpoint>> = {
    '/.well-known/openid-configuration': 'discovery',
    '/token': 'token',
    '/jwks': 'jwks',
    '/userinfo': 'userinfo',
  }
  server.on('request', (req, res) => {
    const endpoint = endpoints[req.url ?? '']
    if (!endpoint) return answers(404, {})(res)
    return (lies.answer?.[endpoint] ?? truth[endpoint])(res)
  })

  return {
    issuer,
    lie: (newLies, newNonce = '') => {
      lies = newLies
      nonce = newNonce
    },
    sign: (claims, header = {}, foreignKey = false) =>
      jwtOf({ alg: 'ES256', kid, ...header }, claims, (foreignKey ? foreign : own).privateKey),
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
