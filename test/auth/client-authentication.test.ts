import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DemandingProvider, type Demands, startDemandingProvider } from '../support/demanding-provider.ts'
import type { Database } from '../../src/store/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { startPortalOf } from '../support/portal-of.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-keys-'))

function pem({ privateKey }: { privateKey: KeyObject }) {
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}

function jwk({ privateKey }: { privateKey: KeyObject }, more: object = {}) {
  return {
    ...privateKey.export({ format: 'jwk' }),
    ...more,
  }
}

function file(name: string, content: unknown): string {
  const path = join(directory, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function rsa() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

function ec() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

const rsaPem = file('rsa.pem', pem(rsa()))
const psJwk = file('ps.jwk', jwk(rsa(), { alg: 'PS256', kid: 'ps' }))
const ecPem = file('ec.pem', pem(ec()))
const edJwk = file('ed.jwk', jwk(generateKeyPairSync('ed25519'), { kid: 'ed', use: 'sig' }))
const twoKeys = file('two.jwks', { keys: [jwk(ec(), { kid: 'new' }), jwk(ec(), { kid: 'old' })] })
const forRsa = file('enc.pem', pem(rsa()))
const forEc = file('enc.jwk', jwk(ec(), { kid: 'enc-ec', alg: 'ECDH-ES+A256KW', use: 'enc' }))
const forTwo = `${forRsa}, ${file('enc-2.pem', pem(rsa()))}`

const forTwoKinds = `${forRsa}, ${forEc}`

const noSecret = { OIDC_CLIENT_SECRET: '' }

function keyJwt(path: string) {
  return {
    ...noSecret,
    OIDC_CLIENT_AUTH: 'private_key_jwt',
    OIDC_PRIVATE_KEY_FILE: path,
  }
}

const par: Demands = { client: { require_pushed_authorization_requests: true } }
const encryption = { features: { encryption: { enabled: true } } }

function wantsJwt(alg: 'RS256' | 'PS256' | 'ES256' | 'EdDSA'): Demands {
  return {
    client: { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg },
  }
}

function wantsSigned(alg: 'RS256' | 'ES256'): Demands {
  return {
    client: { request_object_signing_alg: alg, require_signed_request_object: true },
    features: { requestObjects: { enabled: true, requireSignedRequestObject: true } },
  }
}

function encrypts(alg: 'RSA-OAEP-256' | 'ECDH-ES+A256KW', enc: 'A256GCM' | 'A128CBC-HS256'): Demands {
  return {
    ...encryption,
    client: { id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc },
  }
}

/** Userinfo as a JWT, signed, and encrypted with `alg`. */
function userinfoAsJwt(alg?: 'RSA-OAEP-256' | 'ECDH-ES+A256KW'): Demands {
  const encrypted = alg
    ? { userinfo_encrypted_response_alg: alg, userinfo_encrypted_response_enc: 'A256GCM' as const }
    : {}
  return {
    features: { ...encryption.features, jwtUserinfo: { enabled: true } },
    client: { userinfo_signed_response_alg: 'ES256', ...encrypted },
  }
}

const everything: Demands = {
  client: {
    ...wantsJwt('ES256').client,
    ...par.client,
    ...wantsSigned('ES256').client,
    ...encrypts('RSA-OAEP-256', 'A256GCM').client,
  },
  features: { ...wantsSigned('ES256').features, ...encryption.features },
}

let provider: DemandingProvider
let database: Database
beforeAll(async () => {
  provider = await startDemandingProvider()
  database = await openTestDatabase()
})
afterAll(async () => {
  await provider.stop()
  await database.close()
  rmSync(directory, { recursive: true })
})

/** Signs in at a provider that asks no questions; returns the last page and the portal's log. */
async function signIn(env: Record<string, string>, demands: Demands) {
  const portal = await startPortalOf(provider.issuer, { env, database })
  provider.demand(portal.url, demands)
  const page = await portal.browser().open('/login?returnTo=/profile')
  await portal.stop()
  return { page, log: portal.log() }
}

describe('a provider that requires', () => {
  it.each<[string, Record<string, string>, Demands]>([
    ['the secret in a header', {}, { secretIn: 'header' }],
    ['the secret in the body', { OIDC_CLIENT_AUTH: 'client_secret_post' }, { secretIn: 'body' }],
    ['a signed assertion: RS256, PEM', keyJwt(rsaPem), wantsJwt('RS256')],
    ['a signed assertion: PS256, JWK', keyJwt(psJwk), wantsJwt('PS256')],
    ['a signed assertion: ES256, PEM', keyJwt(ecPem), wantsJwt('ES256')],
    ['a signed assertion: EdDSA, JWK', keyJwt(edJwk), wantsJwt('EdDSA')],
    ['a signed assertion: the first of two keys', keyJwt(twoKeys), wantsJwt('ES256')],
    ['a signed assertion: the first of two files', keyJwt(`${ecPem}, ${rsaPem}`), wantsJwt('ES256')],
    ['pushed requests', { OIDC_USE_PAR: 'true' }, par],
    ['signed requests', { OIDC_USE_JAR: 'true', OIDC_PRIVATE_KEY_FILE: ecPem }, wantsSigned('ES256')],
    ['encrypting for RSA', { OIDC_DECRYPTION_KEY_FILE: forRsa }, encrypts('RSA-OAEP-256', 'A128CBC-HS256')],
    ['encrypting for EC', { OIDC_DECRYPTION_KEY_FILE: forEc }, encrypts('ECDH-ES+A256KW', 'A256GCM')],
    ['encrypting for one of two keys', { OIDC_DECRYPTION_KEY_FILE: forTwo }, encrypts('RSA-OAEP-256', 'A256GCM')],
    ['signed userinfo', {}, userinfoAsJwt()],
    ['userinfo encrypted for RSA', { OIDC_DECRYPTION_KEY_FILE: forRsa }, userinfoAsJwt('RSA-OAEP-256')],
    ['userinfo encrypted for EC', { OIDC_DECRYPTION_KEY_FILE: forTwoKinds }, userinfoAsJwt('ECDH-ES+A256KW')],
    [
      'HS256',
      { OIDC_CLIENT_SECRET: 's'.repeat(32), OIDC_ID_TOKEN_ALGS: 'HS256' },
      { client: { client_secret: 's'.repeat(32), id_token_signed_response_alg: 'HS256' } },
    ],
    [
      'all of these',
      {
        ...keyJwt(twoKeys),
        OIDC_USE_PAR: 'true',
        OIDC_USE_JAR: 'true',
        OIDC_DECRYPTION_KEY_FILE: forRsa,
      },
      everything,
    ],
  ])('%s: sign-in succeeds when the portal is configured for it', async (_name, env, demands) => {
    const { page, log } = await signIn(env, demands)
    expect([page.status, page.url.pathname]).toEqual([200, '/profile'])
    expect(page.words).toContain('mary@example.com')
    expect(log).not.toMatch(/eyJ|secret-of-the|mary@|PRIVATE KEY/)
  })

  it.each<[string, Record<string, string>, Demands]>([
    ['the secret in a header', { OIDC_CLIENT_AUTH: 'client_secret_post' }, { secretIn: 'header' }],
    ['the secret in the body', {}, { secretIn: 'body' }],
    ['a signed assertion', {}, wantsJwt('ES256')],
    ['an assertion with another algorithm', keyJwt(rsaPem), wantsJwt('ES256')],
    ['pushed requests', {}, par],
    ['signed requests', {}, wantsSigned('ES256')],
    ['encrypting for an unknown key', { OIDC_DECRYPTION_KEY_FILE: forEc }, everything],
    ['HS256', {}, { client: { id_token_signed_response_alg: 'HS256' } }],
  ])('%s: sign-in fails when the portal is not configured for it', async (_name, env, demands) => {
    const { page } = await signIn(env, demands)
    expect([400, 502]).toContain(page.status)
    expect(page.words).not.toContain('mary@')
  })

  it('pushed or signed requests: the browser sends no other parameters', async () => {
    await signIn({ OIDC_USE_PAR: 'true' }, par)
    expect([...provider.lastRequest().keys()].toSorted()).toEqual(['client_id', 'request_uri'])
    await signIn({ OIDC_USE_JAR: 'true', OIDC_PRIVATE_KEY_FILE: ecPem }, wantsSigned('ES256'))
    expect([...provider.lastRequest().keys()].toSorted()).toEqual(['client_id', 'request'])
  })

  it('pushed requests but announces no endpoint: the portal shows the 502 page', async () => {
    const { page } = await signIn(
      { OIDC_USE_PAR: 'true' },
      { features: { pushedAuthorizationRequests: { enabled: false } } },
    )
    expect([page.status, page.$('h1').text()]).toEqual([502, 'The eID service gave an answer we cannot trust'])
  })
})

describe('the client secret in the header', () => {
  it.each([
    ['client-secret_of.the*tests0', 'client-secret_of.the*tests0'],
    ['a+b/c=d:e f%g~', 'a%2Bb%2Fc%3Dd%3Ae+f%25g%7E'],
  ])('is encoded as forms do, and nothing else: %s', async (secret, encoded) => {
    const { page } = await signIn({ OIDC_CLIENT_SECRET: secret }, { client: { client_secret: secret } })
    expect([page.status, page.url.pathname]).toEqual([200, '/profile'])
    const [, credentials = ''] = provider.lastAuthorization().split(' ')
    expect(Buffer.from(credentials, 'base64').toString()).toBe(`portal:${encoded}`)
  })
})

describe('the audience of a signed assertion', () => {
  it.each([
    ['the issuer by default', {}, () => provider.issuer],
    ['the token endpoint', { OIDC_CLIENT_JWT_AUDIENCE: 'token_endpoint' }, () => `${provider.issuer}/token`],
  ])('is %s', async (_what, env, audience) => {
    const { page } = await signIn({ ...keyJwt(ecPem), ...env }, { ...wantsJwt('ES256'), assertionAudience: audience() })
    expect([page.status, page.url.pathname]).toEqual([200, '/profile'])
  })

  it('that the provider does not want is refused, as a wrong setup', async () => {
    const demands = { ...wantsJwt('ES256'), assertionAudience: `${provider.issuer}/token` }
    const { page, log } = await signIn(keyJwt(ecPem), demands)
    expect([page.status, page.$('h1').text()]).toEqual([502, 'Sign-in is not set up correctly'])
    expect(log).toContain('"message":"invalid_client, status 401"')
  })
})

describe('GET /auth/jwks.json', () => {
  const keysOf = async (env: Record<string, string>) => {
    const portal = await startPortalOf(provider.issuer, { env, database })
    const answer = await fetch(`${portal.url}/auth/jwks.json`)
    await portal.stop()
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain('application/json')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(answer.headers.get('set-cookie')).toBeNull()
    return ((await answer.json()) as { keys: Record<string, string>[] }).keys
  }

  it('lists the public part of every signing and decryption key', async () => {
    const keys = await keysOf({ ...keyJwt(`${twoKeys}, ${rsaPem}, ${edJwk}`), OIDC_DECRYPTION_KEY_FILE: forTwo })
    expect(keys.map(({ use, alg }) => [use, alg])).toEqual([
      ['sig', 'ES256'],
      ['sig', 'ES256'],
      ['sig', 'RS256'],
      ['sig', 'EdDSA'],
      ['enc', 'RSA-OAEP-256'],
      ['enc', 'RSA-OAEP-256'],
    ])
    expect(keys.slice(0, 2).map(({ kid }) => kid)).toEqual(['new', 'old'])
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(6)
    const members = new Set(keys.flatMap((key) => Object.keys(key)))
    expect([...members].toSorted()).toEqual(['alg', 'crv', 'e', 'kid', 'kty', 'n', 'use', 'x', 'y'])
  })

  it('is empty without configured keys', async () => {
    expect(await keysOf({})).toEqual([])
  })
})
