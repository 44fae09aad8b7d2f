import { z } from 'zod'
import { issuerUrl } from './values.ts'
import { type EidKey, isSameKey, readEidKeys, readProviderKeys } from './oidc-keys.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** HS* sign with the client secret, which must be at least as long as the hash, in bytes (RFC 7518, 3.2). */
const secretAlgs: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 }
const keyAlgs = ['RS256', 'PS256', 'ES256', 'EdDSA', 'RS384', 'PS384', 'ES384', 'RS512', 'PS512', 'ES512']
const knownAlgs = [...keyAlgs, ...Object.keys(secretAlgs)]

const trueOrFalse = z.enum(['true', 'false'], 'must be true or false').default('false')

const schema = z.object({
  OIDC_ISSUER: z.string().superRefine((value, context) => {
    for (const { message } of issuerUrl.safeParse(value).error?.issues ?? [])
      context.addIssue({ code: 'custom', message })
  }),
  OIDC_CLIENT_ID: z.string(),
  OIDC_CLIENT_AUTH: z
    .enum(
      ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      'must be client_secret_basic, client_secret_post or private_key_jwt',
    )
    .default('client_secret_basic'),
  OIDC_CLIENT_SECRET: z.string().optional(),
  OIDC_PRIVATE_KEY_FILE: z.string().optional(),
  OIDC_DECRYPTION_KEY_FILE: z.string().optional(),
  OIDC_PROVIDER_JWKS_FILE: z.string().optional(),
  OIDC_CLIENT_JWT_AUDIENCE: z.enum(['issuer', 'token_endpoint'], 'must be issuer or token_endpoint').default('issuer'),
  OIDC_USE_PAR: trueOrFalse,
  OIDC_USE_JAR: trueOrFalse,
  OIDC_SCOPE: z
    .string()
    .default('openid profile email')
    .refine((value) => value.split(' ').includes('openid'), 'must contain openid'),
  OIDC_ACR_VALUES: z.string().optional(),
  OIDC_REQUIRED_ACR: z.string().optional(),
  OIDC_ID_TOKEN_ALGS: z
    .string()
    .default('RS256, PS256, ES256, EdDSA')
    .transform((value) => value.split(',').map((alg) => alg.trim()))
    .refine(
      (algs) => algs.every((alg) => knownAlgs.includes(alg)),
      `must be some of ${knownAlgs.join(', ')}, separated by commas`,
    ),
})

/**
 * Reads the eID provider's address and the portal's client authentication from the variables OIDC_* and the key files
 * that they name.
 * @param env without empty variables
 * @returns the settings, or problems: one line each, which names its variable and never quotes a key
 */
export function readEidSettings(env: Environment) {
  const parsed = schema.safeParse(env)
  const keys = keysOf(env)
  const invalid = (parsed.error?.issues ?? []).map(({ path: [name], code, message }) =>
    env[String(name)] === undefined && code === 'invalid_type'
      ? `${String(name)} is required`
      : `${String(name)} ${message}`,
  )
  const problems = [...invalid, ...contradictions(env), ...keys.problems]
  if (!parsed.success || problems.length > 0) return { problems }
  const { data } = parsed
  const settings = {
    issuer: data.OIDC_ISSUER,
    clientId: data.OIDC_CLIENT_ID,
    clientAuth: data.OIDC_CLIENT_AUTH,
    clientSecret: data.OIDC_CLIENT_SECRET,
    signingKeys: keys.signing,
    decryptionKeys: keys.decryption,
    providerKeys: keys.provider,
    clientJwtAudience: data.OIDC_CLIENT_JWT_AUDIENCE,
    usePar: data.OIDC_USE_PAR === 'true',
    useJar: data.OIDC_USE_JAR === 'true',
    scope: data.OIDC_SCOPE,
    acrValues: data.OIDC_ACR_VALUES,
    requiredAcr: data.OIDC_REQUIRED_ACR?.split(' ').filter(Boolean) ?? [],
    idTokenAlgs: withBothNames(data.OIDC_ID_TOKEN_ALGS),
  }
  return { settings, problems }
}

function keysOf(env: Environment) {
  const read = (variable: string, use: EidKey['use']) => {
    const files = env[variable]
    const { keys, problems } = files === undefined ? { keys: [], problems: [] } : readEidKeys(files, use)
    return { keys, problems: problems.map((problem) => `${variable} ${problem}`) }
  }
  const signing = read('OIDC_PRIVATE_KEY_FILE', 'sig')
  const decryption = read('OIDC_DECRYPTION_KEY_FILE', 'enc')
  const file = env['OIDC_PROVIDER_JWKS_FILE']
  const provider = file === undefined ? { jwks: undefined, problems: [] } : readProviderKeys(file)
  const sameKey = decryption.keys.some((one) => signing.keys.some((other) => isSameKey(one, other)))
  const problems = [
    ...signing.problems,
    ...decryption.problems,
    ...provider.problems.map((problem) => `OIDC_PROVIDER_JWKS_FILE ${problem}`),
    ...(sameKey ? ['OIDC_DECRYPTION_KEY_FILE must not share a key or a kid with OIDC_PRIVATE_KEY_FILE'] : []),
  ]
  return { signing: signing.keys, decryption: decryption.keys, provider: provider.jwks, problems }
}

/**
 * Combinations of variables that are invalid, as lines that name the variable. They are checked whatever else is wrong.
 */
function contradictions(env: Environment): string[] {
  const method = env['OIDC_CLIENT_AUTH'] ?? 'client_secret_basic'
  const signed = method === 'private_key_jwt'
  const jar = env['OIDC_USE_JAR'] === 'true'
  const secret = env['OIDC_CLIENT_SECRET']
  const key = env['OIDC_PRIVATE_KEY_FILE']
  const hashes = (env['OIDC_ID_TOKEN_ALGS'] ?? '').split(',').map((alg) => alg.trim())
  const hash = hashes.findLast((alg) => alg in secretAlgs)
  const leastBytes = Math.max(0, ...hashes.map((alg) => secretAlgs[alg] ?? 0))
  const rules: readonly (readonly [isBroken: boolean, line: string])[] = [
    [!secret && !signed, 'OIDC_CLIENT_SECRET is required'],
    [!secret && signed && hash !== undefined, `OIDC_CLIENT_SECRET is required for ${hash}`],
    [
      secret !== undefined && Buffer.byteLength(secret) < leastBytes,
      `OIDC_CLIENT_SECRET must be at least ${leastBytes} bytes long for ${hash}`,
    ],
    [
      secret !== undefined && signed && hash === undefined,
      'OIDC_CLIENT_SECRET has no effect when OIDC_CLIENT_AUTH is private_key_jwt; remove it',
    ],
    [!key && signed, 'OIDC_PRIVATE_KEY_FILE is required when OIDC_CLIENT_AUTH is private_key_jwt'],
    [
      env['OIDC_CLIENT_JWT_AUDIENCE'] !== undefined && !signed,
      'OIDC_CLIENT_JWT_AUDIENCE has no effect unless OIDC_CLIENT_AUTH is private_key_jwt; remove it',
    ],
    [!key && jar, 'OIDC_PRIVATE_KEY_FILE is required when OIDC_USE_JAR is true'],
    [
      key !== undefined && !signed && !jar,
      'OIDC_PRIVATE_KEY_FILE has no effect unless OIDC_CLIENT_AUTH is private_key_jwt or OIDC_USE_JAR is true',
    ],
  ]
  return rules.flatMap(([isBroken, line]) => (isBroken ? [line] : []))
}

/** Adds Ed25519 to EdDSA: both name the same algorithm (RFC 8037, RFC 9864). */
function withBothNames(algs: readonly string[]): string[] {
  return algs.flatMap((alg) => (alg === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [alg]))
}
