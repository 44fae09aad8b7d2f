import type { RequestHandler } from 'express'
import type { Eid } from './eid.ts'
import * as oidc from 'openid-client'
import type { EidKey } from '../config/oidc-keys.ts'
import { InternalError } from '../errors.ts'

/** How the portal authenticates at the provider's endpoints (OpenID Connect Core 9). */
export type ClientAuth = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

/** The signing key in the form that openid-client takes, and a hook that sets `alg` in the JWT header. */
export function signingKey({ privateKey, kid, alg }: EidKey) {
  return {
    key: { key: privateKey.toCryptoKey(signing(alg), false, ['sign']), kid },
    modify: (header: Record<string, unknown>) => {
      // The library writes Ed25519 (RFC 9864); most providers still expect EdDSA.
      header['alg'] = alg
    },
  }
}

function signing(alg: string) {
  if (alg.startsWith('RS')) return { name: 'RSASSA-PKCS1-v1_5', hash: hashOf(alg) }
  if (alg.startsWith('PS')) return { name: 'RSA-PSS', hash: hashOf(alg) }
  return alg in curves ? { name: 'ECDSA', namedCurve: String(curves[alg]) } : { name: 'Ed25519' }
}

function hashOf(alg: string): string {
  return `SHA-${alg.slice(-3)}`
}

/** The decryption key in the form that openid-client takes. */
export function decryptionKey({ privateKey, kid, alg, publicJwk }: EidKey) {
  if (publicJwk['kty'] === 'RSA') {
    const hash = alg === 'RSA-OAEP' ? 'SHA-1' : hashOf(alg)
    return {
      key: privateKey.toCryptoKey({ name: 'RSA-OAEP', hash }, false, ['decrypt', 'unwrapKey']),
      kid,
      alg,
    }
  }
  const algorithm = publicJwk['kty'] === 'EC' ? { name: 'ECDH', namedCurve: 'P-256' } : { name: 'X25519' }
  return { key: privateKey.toCryptoKey(algorithm, false, ['deriveBits']), kid, alg }
}

/**
 * The client authentication for openid-client. @throws InternalError when the configuration lacks the secret or key,
 * which startup has checked
 */
export function clientAuthentication(options: {
  readonly clientAuth: ClientAuth
  readonly clientSecret: string | undefined
  readonly signingKeys: readonly EidKey[]
  readonly clientJwtAudience: 'issuer' | 'token_endpoint'
}): oidc.ClientAuth {
  const { clientAuth, clientSecret, signingKeys } = options
  if (clientAuth === 'private_key_jwt' && signingKeys[0])
    return privateKeyJwt(signingKey(signingKeys[0]), options.clientJwtAudience)
  if (!clientSecret) throw new InternalError('client secret missing')
  return clientAuth === 'client_secret_post' ? oidc.ClientSecretPost(clientSecret) : secretInHeader(clientSecret)
}

/** The library's audience is the issuer; some providers demand the token endpoint (OpenID Connect Core 9). */
function privateKeyJwt({ key, modify }: ReturnType<typeof signingKey>, audience: string): oidc.ClientAuth {
  return (server, client, body, headers) => {
    const modifyAssertion = (header: Record<string, unknown>, payload: Record<string, unknown>): void => {
      modify(header)
      if (audience === 'token_endpoint') payload['aud'] = server.token_endpoint
    }
    return oidc.PrivateKeyJwt(key, { [oidc.modifyAssertion]: modifyAssertion })(server, client, body, headers)
  }
}

/**
 * client_secret_basic as forms encode (RFC 6749, 2.3.1): `*-._`, letters and digits stay. The library percent-encodes
 * `-` and `_` as well, and providers that do not decode then refuse the usual secrets.
 */
function secretInHeader(secret: string): oidc.ClientAuth {
  return (_server, { client_id: id }, _body, headers) => {
    const credentials = `${formEncoded(id)}:${formEncoded(secret)}`
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`)
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice('='.length)
}

/** The provider must know a new key before it signs, so caches may keep the old set for a few minutes only. */
const maxAgeSeconds = 300

/** `GET /auth/jwks.json`: the portal's public keys for the eID provider (RFC 7517, 5). Empty when there are none. */
export function showJwks({ options }: Eid): RequestHandler {
  const keys = [...options.signingKeys, ...options.decryptionKeys].map(({ publicJwk }) => publicJwk)
  return (_req, res) => {
    res.set('Cache-Control', `public, max-age=${maxAgeSeconds}`).json({ keys })
  }
}
