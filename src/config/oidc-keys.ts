import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { JSONWebKeySet, JWK } from 'jose'
import { z } from 'zod'

/** A private key of the portal at the eID provider, for signing or for decryption. */
export type EidKey = {
  /** The `kid` of the JWK, else its thumbprint (RFC 7638). */
  readonly kid: string
  readonly use: 'sig' | 'enc'
  /** The `alg` of the JWK, else the usual one for this type of key. */
  readonly alg: string
  readonly privateKey: KeyObject
  /** The public JWK: public members, `kid`, `use` and `alg`. */
  readonly publicJwk: Readonly<Record<string, string>>
}

const rsaSigning = ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512']
const rsaEncryption = ['RSA-OAEP-256', 'RSA-OAEP-384', 'RSA-OAEP-512', 'RSA-OAEP']
const agreement = ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW']

/** The algorithms of each type of key; the first is the default. */
const algorithms: Readonly<Record<EidKey['use'], Readonly<Record<string, readonly string[]>>>> = {
  sig: {
    rsa: rsaSigning,
    'ec prime256v1': ['ES256'],
    'ec secp384r1': ['ES384'],
    'ec secp521r1': ['ES512'],
    // RFC 9864 renames EdDSA with this curve to Ed25519.
    ed25519: ['EdDSA', 'Ed25519'],
  },
  enc: { rsa: rsaEncryption, 'ec prime256v1': agreement, x25519: agreement },
}

const kinds: Readonly<Record<EidKey['use'], string>> = {
  sig: 'RSA of at least 2048 bits, EC P-256, P-384 or P-521, or Ed25519',
  enc: 'RSA of at least 2048 bits, EC P-256 or X25519',
}

const jwkSchema = z.looseObject({
  kty: z.string(),
  kid: z.string().min(1).max(200).optional(),
  use: z.string().optional(),
  alg: z.string().optional(),
})
type Jwk = z.output<typeof jwkSchema>

/**
 * True when both are the same key or have the same `kid`. KeyObject.equals is avoided: for different types it leaves an
 * error in OpenSSL's queue, which makes the next PEM fail.
 */
export function isSameKey(one: EidKey, other: EidKey): boolean {
  return one.kid === other.kid || thumbprint(one.publicJwk) === thumbprint(other.publicJwk)
}

function thumbprint({ crv, e, kty, n, x, y }: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url')
}

const unreadable =
  'holds no private key: it must be PEM (PKCS#8, not encrypted), a private JWK, or a JWKS of private JWKs'

/**
 * Reads the private keys in one or more files, separated by commas: PEM (PKCS#8), JWK or JWKS. The first key signs.
 * @returns all keys, and problems as sentence ends that name the file and never quote it
 */
export function readEidKeys(
  files: string,
  use: EidKey['use'],
): { readonly keys: readonly EidKey[]; readonly problems: readonly string[] } {
  const found = files.split(',').flatMap((name) => {
    const file = name.trim()
    const named = (problem: string) => `names the file ${file}, which ${problem}`
    try {
      return keysIn(readFileSync(file, 'utf8'), use).map((key) => (typeof key === 'string' ? named(key) : key))
    } catch {
      return [named('cannot be read')]
    }
  })
  const keys = found.filter((key) => typeof key !== 'string')
  const twice = new Set(keys.map(({ kid }) => kid)).size < keys.length
  const problems = found.filter((key) => typeof key === 'string')
  return {
    keys,
    problems: twice ? [...problems, 'names a key twice, or two keys with the same kid'] : problems,
  }
}

/**
 * Reads the provider's public keys from a JWKS file, for providers whose keys are registered by hand.
 * @returns the keys, or problems as sentence ends
 */
export function readProviderKeys(file: string): {
  readonly jwks: JSONWebKeySet | undefined
  readonly problems: readonly string[]
} {
  const refuse = (problem: string) => ({ jwks: undefined, problems: [`names the file ${file}, which ${problem}`] })
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return refuse('cannot be read')
  }
  try {
    const { keys } = z.looseObject({ keys: z.array(jwkSchema).min(1) }).parse(JSON.parse(text))
    if (keys.some((jwk) => 'd' in jwk || jwk.kty === 'oct'))
      return refuse('holds a private key: it must hold the public keys of the provider')
    for (const jwk of keys) createPublicKey({ key: jwk, format: 'jwk' })
    return { jwks: { keys: keys as JWK[] }, problems: [] }
  } catch {
    return refuse('holds no public keys: it must be a JWKS, {"keys": […]}, as the provider gives it')
  }
}

/** The keys of one file. Messages of node:crypto and JSON.parse are dropped, because they may quote the file. */
function keysIn(text: string, use: EidKey['use']): (EidKey | string)[] {
  try {
    if (text.includes('-----BEGIN PRIVATE KEY-----')) return [keyOf(createPrivateKey(text), use, {})]
    const json: unknown = JSON.parse(text)
    const jwks = z.looseObject({ keys: z.array(jwkSchema).min(1) }).safeParse(json)
    return (jwks.success ? jwks.data.keys : [jwkSchema.parse(json)]).map((jwk) =>
      keyOf(createPrivateKey({ key: jwk, format: 'jwk' }), use, jwk),
    )
  } catch {
    return [unreadable]
  }
}

/** @returns the end of a sentence when the key does not fit this use */
function keyOf(privateKey: KeyObject, use: EidKey['use'], named: Partial<Jwk>): EidKey | string {
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = privateKey
  const supported = algorithms[use][type === 'ec' ? `ec ${details?.namedCurve}` : type]
  const alg = named.alg ?? supported?.[0]
  if (!supported || !alg || (type === 'rsa' && (details?.modulusLength ?? 0) < 2048))
    return `holds an unsupported key: it must be ${kinds[use]}`
  if (!supported.includes(alg)) return `names an unsupported algorithm for its key: it must be ${supported.join(', ')}`
  if (named.use !== undefined && named.use !== use) return `holds a key whose use is not "${use}"`
  const members = createPublicKey(privateKey).export({ format: 'jwk' }) as Record<string, string>
  const kid = named.kid ?? thumbprint(members)
  return { kid, use, alg, privateKey, publicJwk: { ...members, kid, use, alg } }
}
