import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigurationError, readConfig, readOperatorConfig } from '../src/config.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-config-'))
const fileWith = (content: unknown): string => {
  const file = join(directory, `${Math.random()}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}
const partner = (keys: unknown) => ({ partners: [{ id: '12345', name: 'Nordlys', keys }] })
const management = { type: 'management', clientId: 'id', clientSecret: 'top-secret-value' }

const good = {
  PORTAL_URL: 'https://portal.example.com',
  OIDC_ISSUER: 'https://eid.example.com/tenant',
  OIDC_CLIENT_ID: 'portal',
  OIDC_CLIENT_SECRET: 'secret',
  SESSION_SECRETS: 'a-session-secret-of-32-characters',
  ORGANISATIONS_FILE: fileWith(partner(management)),
}

const problemsOf = (
  env: Record<string, string>,
  read: (env: Record<string, string>) => unknown = readConfig,
): readonly string[] => {
  try {
    read(env)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('readConfig', () => {
  it('needs no more than what has no default', () => {
    expect(readConfig(good)).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      portalUrl: 'https://portal.example.com',
      https: true,
      oidc: { issuer: 'https://eid.example.com/tenant', scope: 'openid profile email', acrValues: undefined },
      sessionLimits: { idleMs: 30 * 60_000, absoluteMs: 12 * 3_600_000 },
      databaseUrl: undefined,
      dataDir: './data',
      managementApiUrl: 'https://api.vipps.no',
      webhooksApiUrl: 'https://api.vipps.no',
      logLevel: 'info',
      trustProxy: false,
      feedbackUrl: undefined,
    })
  })

  it('names every missing variable at once', () => {
    const problems = problemsOf({})
    for (const variable of Object.keys(good)) expect(problems).toContain(`${variable} is required`)
    expect(problems).toHaveLength(Object.keys(good).length)
  })

  it('takes an empty variable as one that is not set', () => {
    expect(readConfig({ ...good, PORT: '', DATABASE_URL: ' ', TRUST_PROXY: '' })).toMatchObject({
      port: 3000,
      databaseUrl: undefined,
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
    ['SESSION_SECRETS', 'short'],
    ['SESSION_SECRETS', 'a-session-secret-of-32-characters,short'],
    ['SESSION_IDLE_MINUTES', '4'],
    ['SESSION_IDLE_MINUTES', 'for ever'],
    ['SESSION_HOURS', '0'],
    ['SESSION_HOURS', '25'],
    ['DATABASE_URL', 'mysql://localhost/portal'],
    ['MANAGEMENT_API_URL', 'http://api.example.com'],
    ['WEBHOOKS_API_URL', 'nonsense'],
    ['MANAGEMENT_API_MAX_PER_SECOND', '0'],
    ['PRODUCT_ORDER_TEMPLATES_PATH', 'https://elsewhere.example'],
    ['FEEDBACK_URL', 'javascript:alert(1)'],
    ['LOG_LEVEL', 'loud'],
    ['TRUST_PROXY', 'everybody'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '10'],
    ['TRUST_PROXY', 'abc'],
    ['TRUST_PROXY', '999.1.1.1'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', 'loopback, 10.0.0.0/8/8'],
    ['ORGANISATIONS_FILE', '/no/such/file.json'],
    ['ORGANISATIONS_FILE', fileWith('{')],
  ])('refuses %s=%s and says so', (variable, value) => {
    const problems = problemsOf({ ...good, [variable]: value })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(new RegExp(`^${variable} `))
  })

  it('lets http through on this machine only', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]']) {
      expect(readConfig({ ...good, PORTAL_URL: `http://${host}:3000` }).https).toBe(false)
    }
    expect(problemsOf({ ...good, PORTAL_URL: 'http://127.0.0.1.example.com' })).toHaveLength(1)
  })

  it('refuses the embedded database in production', () => {
    expect(problemsOf({ ...good, NODE_ENV: 'production' })[0]).toMatch(
      /^DATABASE_URL is required when NODE_ENV is production/,
    )
    const url = 'postgres://db/portal'
    expect(readConfig({ ...good, NODE_ENV: 'production', DATABASE_URL: url }).databaseUrl).toBe(url)
  })

  it('reads several mistakes of several kinds together', () => {
    const problems = problemsOf({
      ...good,
      PORT: 'x',
      LOG_LEVEL: 'x',
      ORGANISATIONS_FILE: fileWith({ partners: [{}] }),
    })
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(
      expect.arrayContaining(['PORT', 'LOG_LEVEL', 'ORGANISATIONS_FILE']),
    )
  })

  it.each([
    ['none', false],
    ['1', 1],
    ['loopback', 'loopback'],
    ['10.0.0.0/8, ::1', '10.0.0.0/8, ::1'],
  ])('understands TRUST_PROXY=%s', (value, expected) => {
    expect(readConfig({ ...good, TRUST_PROXY: value }).trustProxy).toBe(expected)
  })
})

describe('the organisations file', () => {
  const keysOf = (content: unknown, env: Record<string, string> = {}) =>
    readConfig({ ...good, ...env, ORGANISATIONS_FILE: fileWith(content) }).organisations[0]?.keys

  it('takes a secret as it is, from a variable, or from a file beside it', () => {
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
    ['an unknown type of keys', partner({ ...management, type: 'other' })],
    ['a missing subscription key', partner({ ...management, type: 'partner' })],
    ['sales unit keys without MSN', partner({ ...management, type: 'sales-unit', subscriptionKey: 'x' })],
    ['a variable that is not set', partner({ ...management, clientSecret: { env: 'NOT_SET' } })],
    ['a file that is not there', partner({ ...management, clientSecret: { file: 'no-such-file' } })],
    ['a secret that no header can carry', partner({ ...management, clientSecret: '…' })],
    ['an empty secret', partner({ ...management, clientSecret: '' })],
    ['a misspelt member', partner({ ...management, subscriptionkey: 'x' })],
    ['a malformed partner ID', { partners: [{ id: '12', name: 'x', keys: management }] }],
    [
      'a malformed scheme',
      { merchants: [{ scheme: 'NO:ORG', id: '987654321', name: 'x', keys: management }] },
    ],
    [
      'a malformed id',
      { merchants: [{ scheme: 'business:NO:ORG', id: 'abc', name: 'x', keys: management }] },
    ],
    [
      'an organisation twice',
      { partners: [partner(management).partners[0], partner(management).partners[0]] },
    ],
    ['no name', { partners: [{ id: '12345', keys: management }] }],
  ])('refuses %s, says where, and never shows a secret', (_what, content) => {
    const problems = problemsOf({ ...good, ORGANISATIONS_FILE: fileWith(content) })
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) expect(problem).toMatch(/^ORGANISATIONS_FILE \(.*\.json\) (at |names )/)
    expect(problems.join()).not.toContain('top-secret-value')
  })
})

describe('readOperatorConfig', () => {
  it('needs nothing', () => {
    expect(readOperatorConfig({})).toMatchObject({
      dataDir: './data',
      databaseUrl: undefined,
      organisations: [],
    })
  })

  it('names mistakes in what it reads', () => {
    expect(problemsOf({ DATABASE_URL: 'x', LOG_LEVEL: 'x' }, readOperatorConfig)).toHaveLength(2)
  })
})
