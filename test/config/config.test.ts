import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigurationError, readConfig, readOperatorConfig } from '../../src/config/config.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-config-'))

function fileWith(content: unknown): string {
  const file = join(directory, `${Math.random()}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 })
  return file
}

function partner(keys: unknown) {
  return { partners: [{ id: '12345', name: 'Nordlys', keys }] }
}

const management = { type: 'management', clientId: 'id', clientSecret: 'top-secret-value' }

const valid = {
  DATABASE_URL: 'postgres://127.0.0.1/portal',
  PORTAL_URL: 'https://portal.example.com',
  OIDC_ISSUER: 'https://eid.example.com/tenant',
  OIDC_CLIENT_ID: 'portal',
  OIDC_CLIENT_SECRET: 'secret',
  SESSION_SECRETS: 'a-session-secret-of-32-characters',
  ORGANISATIONS_FILE: fileWith(partner(management)),
}

const mail = { SMTP_URL: 'smtps://smtp.example.com', MAIL_FROM: 'Partner portal <portal@example.com>' }

function problemsOf(
  env: Record<string, string>,
  read: (env: Record<string, string>) => unknown = readConfig,
): readonly string[] {
  try {
    read(env)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('readConfig', () => {
  it('needs only the variables without a default', () => {
    expect(readConfig(valid)).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      portalUrl: 'https://portal.example.com',
      https: true,
      oidc: {
        issuer: 'https://eid.example.com/tenant',
        clientAuth: 'client_secret_basic',
        signingKeys: [],
        decryptionKeys: [],
        usePar: false,
        useJar: false,
        scope: 'openid profile email',
        acrValues: undefined,
        requiredAcr: [],
        clientJwtAudience: 'issuer',
        providerKeys: undefined,
        idTokenAlgs: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
      },
      sessionLimits: { idleMs: 30 * 60_000, absoluteMs: 12 * 3_600_000 },
      databaseUrl: valid.DATABASE_URL,
      databaseConnections: 10,
      managementApiUrl: 'https://api.vipps.no',
      webhooksApiUrl: 'https://api.vipps.no',
      logLevel: 'info',
      trustProxy: false,
      feedbackUrl: undefined,
    })
  })

  it('takes an address for support, and refuses what is none', () => {
    expect(readConfig({ ...valid, SUPPORT_EMAIL: ' Help@Example.COM ' }).supportEmail).toBe('Help@example.com')
    expect(problemsOf({ ...valid, SUPPORT_EMAIL: 'call us' })).toEqual([
      'SUPPORT_EMAIL must be an e-mail address such as help@example.com',
    ])
  })

  it('keeps audit entries for 400 days, and history and users for ever, and refuses an invalid number', () => {
    expect(readConfig(valid).retentionDays).toEqual({ audit: 400, history: 0, users: 0 })
    const days = { AUDIT_RETENTION_DAYS: '0', HISTORY_RETENTION_DAYS: '730', USER_RETENTION_DAYS: '365' }
    expect(readConfig({ ...valid, ...days }).retentionDays).toEqual({ audit: 0, history: 730, users: 365 })
    for (const variable of Object.keys(days))
      expect(problemsOf({ ...valid, [variable]: '-1' })).toEqual([
        expect.stringMatching(`^${variable} must be a whole number from 0`),
      ])
  })

  it('refuses secret files that others can read in production, and warns elsewhere', () => {
    const secret = join(directory, 'secret')
    writeFileSync(secret, 'top-secret-value')
    const file = fileWith(partner({ ...management, clientSecret: { file: secret } }))
    const [open, shared] = [join(directory, 'open.pem'), join(directory, 'shared.pem')]
    const pems = [open, shared].map((path) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      writeFileSync(path, pem, { mode: 0o600 })
      return pem.split('\n')[1] ?? ''
    })
    const closed = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    })
    chmodSync(secret, 0o644)
    chmodSync(open, 0o606)
    chmodSync(shared, 0o660)
    chmodSync(file, 0o640)
    const env = {
      ...valid,
      ...mail,
      ORGANISATIONS_FILE: file,
      OIDC_CLIENT_AUTH: 'private_key_jwt',
      OIDC_CLIENT_SECRET: '',
      OIDC_PRIVATE_KEY_FILE: `${fileWith(closed)}, ${open}`,
      OIDC_DECRYPTION_KEY_FILE: shared,
    }
    const problems = problemsOf({ ...env, NODE_ENV: 'production' })
    expect(problems.map((problem) => problem.replace(/^.*chmod/, 'chmod')).toSorted()).toEqual([
      `chmod g-w ${shared}`,
      `chmod o-r ${secret}`,
      `chmod o-r,o-w ${open}`,
    ])
    expect(problems.join('\n')).toContain('OIDC_PRIVATE_KEY_FILE (')
    for (const value of ['top-secret-value', ...pems]) expect(problems.join('\n')).not.toContain(value)
    expect(readConfig(env).warnings.toSorted()).toEqual([...problems].toSorted())
    for (const path of [secret, open, shared]) chmodSync(path, 0o600)
    expect(readConfig({ ...env, NODE_ENV: 'production' }).warnings).toEqual([])
  })

  it('reads the secret of user IDs in hex, base64 or from a file, and refuses a short one', () => {
    const bytes = Buffer.from('0123456789abcdef0123456789abcdef')
    const spellings = ['hex', 'base64', 'base64url'] as const
    for (const spelling of spellings) {
      const text = bytes.toString(spelling)
      expect(readConfig({ ...valid, USER_ID_SECRET: text }).userIdSecret).toEqual(bytes)
      expect(readConfig({ ...valid, USER_ID_SECRET_FILE: fileWith(`${text}\n`) }).userIdSecret).toEqual(bytes)
    }
    expect(readConfig(valid).userIdSecret).toBeUndefined()
    const short = bytes.subarray(1).toString('hex')
    for (const invalid of [short, 'a passphrase of more than thirty-two letters', 'ø'.repeat(64)]) {
      const file = fileWith(invalid)
      const [direct, inFile] = [{ USER_ID_SECRET: invalid }, { USER_ID_SECRET_FILE: file }].map((env) =>
        problemsOf({ ...valid, ...env }),
      )
      expect(direct).toEqual([expect.stringMatching(/^USER_ID_SECRET must be at least 32 bytes in hex or base64/)])
      expect(inFile).toEqual([`USER_ID_SECRET_FILE (${file}) ${String(direct?.[0]).replace('USER_ID_SECRET ', '')}`])
      expect(String(inFile)).not.toContain(invalid)
    }
    expect(problemsOf({ ...valid, USER_ID_SECRET_FILE: '/none' })).toEqual([
      'USER_ID_SECRET_FILE (/none) cannot be read: ENOENT',
    ])
    const both = { USER_ID_SECRET: bytes.toString('hex'), USER_ID_SECRET_FILE: fileWith(bytes.toString('hex')) }
    expect(problemsOf({ ...valid, ...both })).toEqual([expect.stringMatching(/^USER_ID_SECRET_FILE has no effect/)])
  })

  it('checks the file with the secret of user IDs like other secret files', () => {
    const file = fileWith('ab'.repeat(32))
    chmodSync(file, 0o644)
    const env = { ...valid, ...mail, USER_ID_SECRET_FILE: file, NODE_ENV: 'production' }
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^USER_ID_SECRET_FILE \(.*chmod o-r /)])
  })

  it('reports all missing variables at once', () => {
    const problems = problemsOf({})
    for (const variable of Object.keys(valid))
      expect(problems).toContainEqual(expect.stringMatching(`^${variable} is required`))
    expect(problems).toHaveLength(Object.keys(valid).length)
  })

  it('treats an empty variable as unset', () => {
    expect(readConfig({ ...valid, PORT: '', BRAND_NAME: ' ', TRUST_PROXY: '' })).toMatchObject({
      port: 3000,
      brand: { name: undefined },
      trustProxy: false,
    })
  })

  it.each([
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['PORTAL_URL', 'portal.example.com'],
    ['PORTAL_URL', 'http://portal.example.com'],
    ['PORTAL_URL', 'https://portal.example.com/path'],
    ['PORTAL_URL', 'ftp://localhost'],
    ['OIDC_ISSUER', 'http://eid.example.com'],
    ['OIDC_ISSUER', 'https://eid.example.com/?a=b'],
    ['OIDC_SCOPE', 'profile email'],
    ['OIDC_CLIENT_AUTH', 'none'],
    ['OIDC_USE_PAR', 'yes'],
    ['OIDC_USE_JAR', '1'],
    ['OIDC_ID_TOKEN_ALGS', 'none'],
    ['OIDC_ID_TOKEN_ALGS', 'RS256, none'],
    ['OIDC_ID_TOKEN_ALGS', 'RS256;ES256'],
    ['SESSION_SECRETS', 'short'],
    ['SESSION_SECRETS', 'a-session-secret-of-32-characters,short'],
    ['SESSION_IDLE_MINUTES', '4'],
    ['SESSION_IDLE_MINUTES', 'for ever'],
    ['SESSION_HOURS', '0'],
    ['SESSION_HOURS', '25'],
    ['ANONYMOUS_REQUESTS_PER_SECOND', '9'],
    ['DATABASE_URL', 'mysql://localhost/portal'],
    ['DATABASE_URL', 'postgres://portal:pa#ss@db/portal'],
    ['DATABASE_URL', 'postgres://portal:p#w/d@1@db/portal'],
    // What stands before the character would pass as a port.
    ['DATABASE_URL', 'postgres://portal:12#w@db/portal'],
    ['DATABASE_URL', 'postgres://portal:12/w@db/portal'],
    ['DATABASE_URL', 'postgres://portal:12?w@db/portal'],
    ['DATABASE_CONNECTIONS', '5'],
    ['MANAGEMENT_API_URL', 'http://api.example.com'],
    ['WEBHOOKS_API_URL', 'nonsense'],
    ['MANAGEMENT_API_MAX_PER_SECOND', '0'],
    ['PRODUCT_ORDER_TEMPLATES_PATH', 'https://elsewhere.example'],
    ['FEEDBACK_URL', 'javascript:alert(1)'],
    ['LOG_LEVEL', 'loud'],
    ['SMTP_URL', 'https://smtp.example.com'],
    ['SMTP_URL', 'smtp.example.com'],
    ['SMTP_URL', 'smtps://user@smtp.example.com'],
    ['SMTP_URL', 'smtps://%zz:x@smtp.example.com'],
    ['SMTP_URL', 'smtps://smtp.example.com/?tls.rejectUnauthorized=false'],
    ['MAIL_FROM', 'Partner portal'],
    ['MAIL_FROM', 'a@example.com, b@example.com'],
    ['MAIL_FROM', 'Partner\nBcc: x <a@example.com>'],
    ['TRUST_PROXY', 'everybody'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '10'],
    ['TRUST_PROXY', 'abc'],
    ['TRUST_PROXY', '999.1.1.1'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', 'loopback, 10.0.0.0/8/8'],
    ['BRAND_NAME', 'x'.repeat(61)],
    ['BRAND_NAME', 'two\nlines'],
    ['BRAND_ACCENT', 'orange'],
    ['BRAND_ACCENT', '#ff5b2'],
    ['BRAND_ACCENT', '#ff5b24;}body{display:none'],
    ['BRAND_LOGO', '/no/such/logo.svg'],
    ['BRAND_LOGO', fileWith('<html></html>')],
    ['ORGANISATIONS_FILE', '/no/such/file.json'],
    ['ORGANISATIONS_FILE', fileWith('{')],
  ])('refuses %s=%s', (variable, value) => {
    const problems = problemsOf({ ...valid, [variable]: value })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(new RegExp(`^${variable} `))
  })

  it('allows http on loopback only', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]']) {
      expect(readConfig({ ...valid, PORTAL_URL: `http://${host}:3000` }).https).toBe(false)
    }
    expect(problemsOf({ ...valid, PORTAL_URL: 'http://127.0.0.1.example.com' })).toHaveLength(1)
  })

  it.each<[Record<string, string>, string[]]>([
    [{ HTTPS_PROXY: 'http://proxy:3128' }, ['HTTPS_PROXY has no effect without NODE_USE_ENV_PROXY=1']],
    [{ https_proxy: 'http://proxy:3128' }, ['https_proxy has no effect without NODE_USE_ENV_PROXY=1']],
    [{ HTTPS_PROXY: 'http://proxy:3128', NODE_USE_ENV_PROXY: '1' }, []],
    [{ HTTPS_PROXY: 'http://proxy:3128', NODE_OPTIONS: '--use-env-proxy' }, []],
    [{ NODE_EXTRA_CA_CERTS: '/no/ca.pem' }, ['NODE_EXTRA_CA_CERTS has no effect: /no/ca.pem cannot be read']],
    [{ NODE_EXTRA_CA_CERTS: import.meta.filename }, []],
  ])('warns of settings that Node.js ignores: %j', (env, warnings) => {
    expect(readConfig({ ...valid, ...env }).warnings).toEqual(warnings)
  })

  it('says what to do about a missing or invalid DATABASE_URL', () => {
    const { DATABASE_URL: _url, ...without } = valid
    expect(problemsOf(without)).toEqual([
      'DATABASE_URL is required: where PostgreSQL is, such as postgres://portal:secret@127.0.0.1:5432/portal; ' +
        '"npm run demo" brings its own',
    ])
    expect(problemsOf({ ...valid, DATABASE_URL: 'postgres://portal:hunter#2@db/portal' })).toEqual([
      'DATABASE_URL is not a valid PostgreSQL URL: percent-encode special characters in the password, such as # as %23',
    ])
  })

  it.each([
    'postgres://db/portal',
    'postgresql://portal:hunter%232@db:6432/portal?sslmode=verify-full',
    'postgres://portal@/portal?host=/var/run/postgresql',
    'postgres://portal@localhost/portal?host=%2Fvar%2Frun%2Fpostgresql&options=-c%20search_path%3Dportal',
  ])('accepts DATABASE_URL=%s', (url) => {
    expect(readConfig({ ...valid, DATABASE_URL: url }).databaseUrl).toBe(url)
  })

  it('accepts SMTP_URL and MAIL_FROM only together, and requires them in production', () => {
    expect(readConfig(valid).mail).toBeUndefined()
    expect(readConfig({ ...valid, ...mail }).mail).toMatchObject({
      smtp: { host: 'smtp.example.com', port: 465, secure: true },
      from: { name: 'Partner portal', address: 'portal@example.com' },
    })
    expect(readConfig({ ...valid, ...mail, MAIL_FROM: 'Portal@EXAMPLE.com' }).mail?.from).toEqual({
      name: '',
      address: 'Portal@example.com',
    })
    expect(problemsOf({ ...valid, SMTP_URL: mail.SMTP_URL })).toEqual(['MAIL_FROM is required with SMTP_URL'])
    expect(problemsOf({ ...valid, MAIL_FROM: mail.MAIL_FROM })).toEqual(['SMTP_URL is required with MAIL_FROM'])
    const production = { ...valid, NODE_ENV: 'production' }
    expect(problemsOf(production).map((problem) => problem.slice(0, 40))).toEqual([
      expect.stringMatching(/^SMTP_URL is required when NODE_ENV/),
      expect.stringMatching(/^MAIL_FROM is required when NODE_ENV/),
    ])
  })

  it('reports errors of several kinds together', () => {
    const problems = problemsOf({
      ...valid,
      PORT: 'x',
      LOG_LEVEL: 'x',
      ORGANISATIONS_FILE: fileWith({ partners: [{}] }),
    })
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(
      expect.arrayContaining(['PORT', 'LOG_LEVEL', 'ORGANISATIONS_FILE']),
    )
  })

  it('defaults to the portal’s own brand, and accepts an accent colour with or without #', () => {
    expect(readConfig(valid).brand).toEqual({ name: undefined, logo: undefined, accent: undefined })
    for (const [value, accent] of [
      ['#5B3FA0', '#5b3fa0'],
      ['5b3fa0', '#5b3fa0'],
      ['#06c', '#0066cc'],
    ] as const)
      expect(readConfig({ ...valid, BRAND_ACCENT: value }).brand.accent).toBe(accent)
  })

  it.each([
    ['none', false],
    ['1', 1],
    ['loopback', 'loopback'],
    ['10.0.0.0/8, ::1', '10.0.0.0/8, ::1'],
  ])('accepts TRUST_PROXY=%s', (value, expected) => {
    expect(readConfig({ ...valid, TRUST_PROXY: value }).trustProxy).toBe(expected)
  })
})

describe('the client keys for the eID provider', () => {
  const pkcs8 = (pair: { readonly privateKey: KeyObject }): string =>
    pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const jwk = ec.privateKey.export({ format: 'jwk' })
  const key = fileWith(pkcs8(ec))
  const rsaFile = fileWith(pkcs8(generateKeyPairSync('rsa', { modulusLength: 2048 })))
  const { OIDC_CLIENT_SECRET: _none, ...noSecret } = valid
  const signs = { ...noSecret, OIDC_CLIENT_AUTH: 'private_key_jwt' }

  it('are read from PEM, JWK and JWKS', () => {
    const set = fileWith({ keys: [{ ...jwk, kid: 'one' }, other.privateKey.export({ format: 'jwk' })] })
    const { oidc } = readConfig({ ...signs, OIDC_PRIVATE_KEY_FILE: set, OIDC_DECRYPTION_KEY_FILE: rsaFile })
    expect(oidc.clientSecret).toBeUndefined()
    expect(oidc.signingKeys.map(({ kid, alg, use }) => [kid, alg, use])).toEqual([
      ['one', 'ES256', 'sig'],
      [expect.stringMatching(/^[\w-]{43}$/), 'ES256', 'sig'],
    ])
    expect(oidc.decryptionKeys).toMatchObject([{ alg: 'RSA-OAEP-256', use: 'enc' }])
  })

  it('have the same kid at every start', () => {
    const { oidc } = readConfig({ ...valid, OIDC_DECRYPTION_KEY_FILE: rsaFile })
    const again = readConfig({ ...valid, OIDC_DECRYPTION_KEY_FILE: rsaFile }).oidc
    expect(oidc.decryptionKeys[0]?.kid).toBe(again.decryptionKeys[0]?.kid)
  })

  const publicPem = ec.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const sec1 = ec.privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  const { d: _private, ...publicJwk } = jwk
  it.each<[string, string]>([
    ['is missing', '/no/such/key.pem'],
    ['is empty', fileWith(' ')],
    ['is not a key', fileWith('top-secret-value')],
    ['is truncated JSON', fileWith(JSON.stringify(jwk).slice(0, 40))],
    ['holds a public key', fileWith(publicPem)],
    ['is PEM of another form', fileWith(sec1)],
    ['is PEM with invalid content', fileWith('-----BEGIN PRIVATE KEY-----\ntop-secret-value\n')],
    ['holds a public JWK', fileWith(publicJwk)],
    ['holds a symmetric JWK', fileWith({ kty: 'oct', k: 'top-secret-value' })],
    ['holds no keys', fileWith({ keys: [] })],
    ['has a key that is too short', fileWith(pkcs8(short))],
    ['has a key of another kind', fileWith(pkcs8(generateKeyPairSync('x25519')))],
    ['has a key for another use', fileWith({ ...jwk, use: 'enc' })],
    ['has a key for another algorithm', fileWith({ ...jwk, alg: 'RS256' })],
    ['names a key twice', `${key},${key}`],
    ['is one of two', `${key}, /no/such/key.pem`],
  ])('are refused when the file %s, without showing its content', (_what, file) => {
    const problems = problemsOf({ ...signs, OIDC_PRIVATE_KEY_FILE: file })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^OIDC_PRIVATE_KEY_FILE names (the file|a key twice)/)
    expect(problems[0]).not.toMatch(/top-secret|BEGIN|"d"|Error/)
    expect(problems[0]).not.toContain(String(jwk.d))
  })

  it.each<[string, Record<string, string>, readonly RegExp[]]>([
    ['no secret', noSecret, [/^OIDC_CLIENT_SECRET is required$/]],
    [
      'no secret to post',
      { ...noSecret, OIDC_CLIENT_AUTH: 'client_secret_post' },
      [/^OIDC_CLIENT_SECRET is required$/],
    ],
    ['no key', signs, [/^OIDC_PRIVATE_KEY_FILE is required when OIDC_CLIENT_AUTH/]],
    ['no key for JAR', { ...valid, OIDC_USE_JAR: 'true' }, [/^OIDC_PRIVATE_KEY_FILE is required when OIDC_USE_JAR/]],
    [
      'an unknown audience',
      { ...signs, OIDC_PRIVATE_KEY_FILE: key, OIDC_CLIENT_JWT_AUDIENCE: 'token' },
      [/^OIDC_CLIENT_JWT_AUDIENCE must be issuer or token_endpoint$/],
    ],
    [
      'an unused audience',
      { ...valid, OIDC_CLIENT_JWT_AUDIENCE: 'token_endpoint' },
      [/^OIDC_CLIENT_JWT_AUDIENCE has no effect unless OIDC_CLIENT_AUTH is private_key_jwt/],
    ],
    [
      'no file of the provider’s keys',
      { ...valid, OIDC_PROVIDER_JWKS_FILE: '/none' },
      [/^OIDC_PROVIDER_JWKS_FILE names the file \/none, which cannot be read$/],
    ],
    [
      'a private key as the provider’s',
      { ...valid, OIDC_PROVIDER_JWKS_FILE: fileWith({ keys: [jwk] }) },
      [/^OIDC_PROVIDER_JWKS_FILE names .* holds a private key/],
    ],
    [
      'no keys of the provider',
      { ...valid, OIDC_PROVIDER_JWKS_FILE: fileWith({ keys: [] }) },
      [/^OIDC_PROVIDER_JWKS_FILE names .* holds no public keys/],
    ],
    ['an unused key', { ...valid, OIDC_PRIVATE_KEY_FILE: key }, [/^OIDC_PRIVATE_KEY_FILE has no effect/]],
    [
      'an unused secret',
      { ...signs, OIDC_PRIVATE_KEY_FILE: key, OIDC_CLIENT_SECRET: 'secret' },
      [/^OIDC_CLIENT_SECRET has no effect/],
    ],
    [
      'HS256 without a secret',
      { ...signs, OIDC_PRIVATE_KEY_FILE: key, OIDC_ID_TOKEN_ALGS: 'HS256' },
      [/^OIDC_CLIENT_SECRET is required for HS256/],
    ],
    [
      'a secret too short for HS512',
      { ...valid, OIDC_CLIENT_SECRET: 'x'.repeat(63), OIDC_ID_TOKEN_ALGS: 'HS256, HS512' },
      [/^OIDC_CLIENT_SECRET must be at least 64 bytes long/],
    ],
    [
      'one key for two uses',
      { ...signs, OIDC_PRIVATE_KEY_FILE: key, OIDC_DECRYPTION_KEY_FILE: fileWith({ ...jwk, kid: 'x' }) },
      [/^OIDC_DECRYPTION_KEY_FILE must not share a key/],
    ],
    [
      'several at once',
      {
        ...signs,
        OIDC_USE_PAR: 'x',
        OIDC_PRIVATE_KEY_FILE: '/none',
        OIDC_DECRYPTION_KEY_FILE: '/none',
        PORT: 'x',
      },
      [/^PORT/, /^OIDC_USE_PAR/, /^OIDC_PRIVATE_KEY_FILE/, /^OIDC_DECRYPTION_KEY_FILE/],
    ],
  ])('must match the other settings: %s', (_what, env, expected) => {
    expect(problemsOf(env)).toEqual(expected.map((line) => expect.stringMatching(line)))
  })
})

describe('the organisations file', () => {
  const keysOf = (content: unknown, env: Record<string, string> = {}) =>
    readConfig({ ...valid, ...env, ORGANISATIONS_FILE: fileWith(content) }).organisations[0]?.keys

  it('accepts a secret inline, from a variable, or from a file beside it', () => {
    writeFileSync(join(directory, 'secret.txt'), 'from-file\n')
    expect(keysOf(partner(management))).toMatchObject({ clientSecret: 'top-secret-value' })
    expect(
      keysOf(partner({ ...management, clientSecret: { env: 'THE_SECRET' } }), { THE_SECRET: 'from-env' }),
    ).toMatchObject({
      clientSecret: 'from-env',
    })
    expect(keysOf(partner({ ...management, clientSecret: { file: 'secret.txt' } }))).toMatchObject({
      clientSecret: 'from-file',
    })
  })

  it.each([
    ['an unknown type of credentials', partner({ ...management, type: 'other' })],
    ['a missing subscription key', partner({ ...management, type: 'partner' })],
    ['sales unit credentials without MSN', partner({ ...management, type: 'sales-unit', subscriptionKey: 'x' })],
    ['a variable that is not set', partner({ ...management, clientSecret: { env: 'NOT_SET' } })],
    ['a missing file', partner({ ...management, clientSecret: { file: 'no-such-file' } })],
    ['a secret that no header can carry', partner({ ...management, clientSecret: '…' })],
    ['an empty secret', partner({ ...management, clientSecret: '' })],
    ['a misspelt member', partner({ ...management, subscriptionkey: 'x' })],
    ['a malformed partner ID', { partners: [{ id: '12', name: 'x', keys: management }] }],
    ['a malformed scheme', { merchants: [{ scheme: 'NO:ORG', id: '987654321', name: 'x', keys: management }] }],
    ['a malformed id', { merchants: [{ scheme: 'business:NO:ORG', id: 'abc', name: 'x', keys: management }] }],
    ['an organisation twice', { partners: [partner(management).partners[0], partner(management).partners[0]] }],
    ['no name', { partners: [{ id: '12345', keys: management }] }],
  ])('refuses %s, reports the position, and never shows a secret', (_what, content) => {
    const problems = problemsOf({ ...valid, ORGANISATIONS_FILE: fileWith(content) })
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) expect(problem).toMatch(/^ORGANISATIONS_FILE \(.*\.json\) (at |names )/)
    expect(problems.join()).not.toContain('top-secret-value')
  })
})

describe('readOperatorConfig', () => {
  it('needs only the database', () => {
    const { DATABASE_URL } = valid
    expect(readOperatorConfig({ DATABASE_URL })).toMatchObject({
      databaseUrl: DATABASE_URL,
      organisations: [],
    })
  })

  it('reports errors in the settings it reads', () => {
    expect(problemsOf({ DATABASE_URL: 'x', LOG_LEVEL: 'x' }, readOperatorConfig)).toHaveLength(2)
  })
})
