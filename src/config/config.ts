import { accessSync, constants, existsSync } from 'node:fs'
import { z } from 'zod'
import {
  baseUrl,
  binarySecret,
  binarySecretFile,
  databaseUrl,
  hexColour,
  logoFile,
  mailAddress,
  mailSender,
  origin,
  sessionSecrets,
  shortName,
  smtpServer,
  timeZone,
  trueOrFalse,
  trustProxy,
  url,
  wholeNumber,
} from './values.ts'
import { readEidSettings } from './oidc.ts'
import { type OrganisationsFile, readOrganisationsFile } from './organisations-file.ts'
import { secretFileProblem } from './secret-files.ts'

/** Thrown for an invalid configuration; `problems` has one line per error, each naming its variable. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`Invalid configuration:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

const operatorVariables = {
  NODE_ENV: z.string().default('development'),
  DATABASE_URL: databaseUrl,
  DATABASE_CONNECTIONS: wholeNumber(6, 200).default(10),
  CHANNELS_ALLOW_PRIVATE: trueOrFalse.default(false),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
}

/** Variables of the sync, which the portal and the operator's `sync` command read. */
const readingVariables = {
  MANAGEMENT_API_URL: baseUrl.default('https://api.vipps.no'),
  WEBHOOKS_API_URL: baseUrl.default('https://api.vipps.no'),
  MANAGEMENT_API_MAX_CONCURRENCY: wholeNumber(1, 100).default(10),
  MANAGEMENT_API_MAX_PER_SECOND: wholeNumber(1, 1000).default(10),
  MANAGEMENT_API_TIMEOUT_MS: wholeNumber(100, 60_000).default(10_000),
  SYNC_LIST_ACTIVE_SECONDS: wholeNumber(1, 86_400).default(300),
  SYNC_LIST_IDLE_SECONDS: wholeNumber(1, 86_400).default(3600),
  SYNC_ACTIVE_FOR_SECONDS: wholeNumber(1, 86_400).default(900),
  SYNC_DETAIL_SECONDS: wholeNumber(1, 2_592_000).default(86_400),
  SYNC_WEBHOOK_SECONDS: wholeNumber(1, 2_592_000).default(86_400),
  SYNC_REFRESH_SECONDS: wholeNumber(1, 86_400).default(60),
  SYNC_DOUBT_SECONDS: wholeNumber(1, 3600).default(60),
  SYNC_RETRY_SECONDS: wholeNumber(1, 3600).default(15),
  PRODUCT_ORDER_TEMPLATES_PATH: z
    .string()
    .regex(/^\/[\w/.-]+$/, 'must be a path such as /management/v1/product-order-templates')
    .default('/management/v1/product-order-templates'),
}

const operatorSchema = z.object({
  ...operatorVariables,
  ...readingVariables,
  ORGANISATIONS_FILE: z.string().optional(),
})

const portalSchema = z
  .object({
    ...operatorVariables,
    ...readingVariables,
    ORGANISATIONS_FILE: z.string(),
    PORT: wholeNumber(0, 65_535).default(3000),
    HOST: z.string().default('127.0.0.1'),
    SHUTDOWN_DELAY_MS: wholeNumber(0, 60_000).default(1000),
    PORTAL_URL: origin,
    SESSION_SECRETS: sessionSecrets,
    USER_ID_SECRET: binarySecret.optional(),
    USER_ID_SECRET_FILE: binarySecretFile.optional(),
    AUDIT_RETENTION_DAYS: wholeNumber(0, 36_500).default(400),
    HISTORY_RETENTION_DAYS: wholeNumber(0, 36_500).default(0),
    USER_RETENTION_DAYS: wholeNumber(0, 36_500).default(0),
    SESSION_IDLE_MINUTES: wholeNumber(5, 720).default(30),
    SESSION_HOURS: wholeNumber(1, 24).default(12),
    FEEDBACK_URL: url
      .refine((value) => ['https:', 'http:', 'mailto:'].includes(value.protocol), 'must be https, http or mailto')
      .transform((value) => value.href)
      .optional(),
    SUPPORT_TEXT: z.string().max(1000).optional(),
    SUPPORT_EMAIL: mailAddress.optional(),
    SERVICE_NAME: shortName.default('Vipps MobilePay'),
    BRAND_NAME: shortName.optional(),
    BRAND_LOGO: logoFile.optional(),
    BRAND_ACCENT: hexColour.optional(),
    ANONYMOUS_REQUESTS_PER_SECOND: wholeNumber(10, 100_000).default(100),
    TRUST_PROXY: trustProxy.optional(),
    SMTP_URL: smtpServer.optional(),
    MAIL_FROM: mailSender.optional(),
    NOTICES: trueOrFalse.default(true),
    NOTICES_TIME_ZONE: timeZone.default('Europe/Oslo'),
  })
  .superRefine((env, context) => {
    if (env.USER_ID_SECRET && env.USER_ID_SECRET_FILE)
      context.addIssue({
        code: 'custom',
        path: ['USER_ID_SECRET_FILE'],
        message: 'has no effect with USER_ID_SECRET; remove one of them',
      })
    const missing = (variable: 'SMTP_URL' | 'MAIL_FROM', why: string): void => {
      if (env[variable] === undefined)
        context.addIssue({ code: 'custom', path: [variable], message: `is required ${why}` })
    }
    const why = 'when NODE_ENV is production, because the portal mails codes that verify e-mail addresses'
    if (env.NODE_ENV === 'production') for (const name of ['SMTP_URL', 'MAIL_FROM'] as const) missing(name, why)
    else if (env.SMTP_URL !== undefined) missing('MAIL_FROM', 'with SMTP_URL')
    else if (env.MAIL_FROM !== undefined) missing('SMTP_URL', 'with MAIL_FROM')
  })

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the portal's configuration from the environment; no other code reads it. Every URL is absolute and without a
 * trailing slash, except `oidc.issuer`, which keeps the provider's spelling.
 * @throws ConfigurationError with every error at once
 */
export function readConfig(given?: Environment) {
  const { env, problems: misplaced } = environmentOf(given)
  const ownFiles = given === undefined && existsSync('.env') ? ['.env'] : []
  const isProduction = env['NODE_ENV'] === 'production'
  const rereadOrganisations = () => {
    const file = readOrganisations(env)
    const exposed = secretFileProblems(env, [...ownFiles, ...file.files])
    const problems = isProduction ? [...file.problems, ...exposed] : file.problems
    return { ...file, problems, warnings: isProduction ? [] : exposed }
  }
  const organisationsFile = rereadOrganisations()
  const eid = readEidSettings(env)
  const { values, organisations } = parse(portalSchema, env, organisationsFile, [...misplaced, ...eid.problems])
  if (!eid.settings) throw new ConfigurationError(eid.problems)
  return {
    /** Problems that production would refuse, and settings of Node.js without effect; for the log. */
    warnings: [...organisationsFile.warnings, ...waysOutWithoutEffect(env)],
    /** The organisations file and its secret files, which the portal watches and rereads with `readOrganisations`. */
    secretFiles: organisationsFile.files,
    readOrganisations: rereadOrganisations,
    port: values.PORT,
    host: values.HOST,
    /** How long readiness fails before the portal stops listening. */
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS,
    portalUrl: values.PORTAL_URL,
    /** True when browsers reach the portal over https; a proxy in front terminates TLS. */
    https: values.PORTAL_URL.startsWith('https:'),
    oidc: eid.settings,
    sessionSecrets: values.SESSION_SECRETS,
    /** Derives user IDs; undefined on installations that began without it. */
    userIdSecret: values.USER_ID_SECRET ?? values.USER_ID_SECRET_FILE,
    retentionDays: {
      audit: values.AUDIT_RETENTION_DAYS,
      history: values.HISTORY_RETENTION_DAYS,
      users: values.USER_RETENTION_DAYS,
    },
    /** The idle and the absolute lifetime of a session. */
    sessionLimits: {
      idleMs: values.SESSION_IDLE_MINUTES * 60_000,
      absoluteMs: values.SESSION_HOURS * 3_600_000,
    },
    anonymousPerSecond: values.ANONYMOUS_REQUESTS_PER_SECOND,
    ...syncConfigOf(values),
    organisations,
    feedbackUrl: values.FEEDBACK_URL,
    supportText: values.SUPPORT_TEXT,
    supportEmail: values.SUPPORT_EMAIL,
    /** The name of the operator of the APIs in all texts. */
    serviceName: values.SERVICE_NAME,
    brand: { name: values.BRAND_NAME, logo: values.BRAND_LOGO, accent: values.BRAND_ACCENT },
    logLevel: values.LOG_LEVEL,
    trustProxy: values.TRUST_PROXY ?? false,
    /** Production, and the operator has not said which proxies to trust. */
    isProxyUnset: isProduction && values.TRUST_PROXY === undefined,
    /** Undefined when no mail server is configured, which production refuses. */
    mail: values.SMTP_URL && values.MAIL_FROM ? { smtp: values.SMTP_URL, from: values.MAIL_FROM } : undefined,
    /** Notices to users and channels; the time zone is that of digests about partners. */
    notices: { isOn: values.NOTICES, partnerTimeZone: values.NOTICES_TIME_ZONE },
  }
}

/** Treats an empty variable as unset, because compose files and shells pass `NAME=` for unset values. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''))
}

/** The given environment, or that of the process with a file `.env` in the working directory as fallback. */
function environmentOf(given?: Environment): { readonly env: Environment; readonly problems: readonly string[] } {
  if (given) return { env: withoutEmpty(given), problems: [] }
  const early = readByNode.filter((name) => process.env[name] === undefined)
  if (existsSync('.env')) process.loadEnvFile('.env')
  const problems = early
    .filter((name) => process.env[name] !== undefined)
    .map((name) => `${name} has no effect in .env, because Node.js reads it first: set it for the process instead`)
  return { env: withoutEmpty(process.env), problems }
}

/** Variables that Node.js reads when it starts, before the portal reads `.env`. */
const readByNode = [
  'NODE_EXTRA_CA_CERTS',
  'NODE_OPTIONS',
  'NODE_USE_ENV_PROXY',
  'NODE_USE_SYSTEM_CA',
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
]

/** What Node.js ignores of the settings of the way out, in silence or as plain text. */
function waysOutWithoutEffect(env: Environment): string[] {
  const flags = [env['NODE_OPTIONS'], ...process.execArgv].join(' ')
  const isProxied = env['NODE_USE_ENV_PROXY'] === '1' || flags.includes('--use-env-proxy')
  const proxy = ['HTTPS_PROXY', 'https_proxy'].find((name) => env[name] !== undefined)
  const authorities = env['NODE_EXTRA_CA_CERTS']
  return [
    ...(proxy === undefined || isProxied ? [] : [`${proxy} has no effect without NODE_USE_ENV_PROXY=1`]),
    ...(authorities === undefined || isReadable(authorities)
      ? []
      : [`NODE_EXTRA_CA_CERTS has no effect: ${authorities} cannot be read`]),
  ]
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

function readOrganisations(env: Environment): OrganisationsFile {
  const file = env['ORGANISATIONS_FILE']
  if (file === undefined) return { organisations: [], problems: [], files: [] }
  const result = readOrganisationsFile(file, env)
  return { ...result, problems: result.problems.map((problem) => `ORGANISATIONS_FILE ${problem}`) }
}

/** Problems with the permissions of these files, and of the key files that variables name. */
function secretFileProblems(env: Environment, files: readonly string[]): string[] {
  const named = Object.entries(env).flatMap(([name, value = '']) =>
    /^(OIDC_\w+_KEY_FILE|USER_ID_SECRET_FILE)$/.test(name)
      ? value.split(',').map((path) => ({ prefix: `${name} `, path: path.trim() }))
      : [],
  )
  return [...files.map((path) => ({ prefix: '', path })), ...named].flatMap(({ prefix, path }) => {
    const problem = secretFileProblem(path)
    return problem === undefined ? [] : `${prefix}${problem}`
  })
}

/** Validates the environment. @param others problems with variables outside the schema @throws ConfigurationError */
function parse<Schema extends z.ZodObject>(
  schema: Schema,
  env: Environment,
  file: Pick<OrganisationsFile, 'organisations' | 'problems'>,
  others: readonly string[] = [],
) {
  const parsed = schema.safeParse(env)
  const problems = [...(parsed.success ? [] : problemsOf(parsed.error, env)), ...others, ...file.problems]
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems)
  return { values: parsed.data, organisations: file.organisations }
}

function syncConfigOf(values: z.output<typeof operatorSchema>) {
  return {
    databaseUrl: values.DATABASE_URL,
    /** The most connections of this instance. */
    databaseConnections: values.DATABASE_CONNECTIONS,
    /** Channels of notices may be in the operator's own network. */
    allowPrivateChannels: values.CHANNELS_ALLOW_PRIVATE,
    managementApiUrl: values.MANAGEMENT_API_URL,
    webhooksApiUrl: values.WEBHOOKS_API_URL,
    productOrderTemplatesPath: values.PRODUCT_ORDER_TEMPLATES_PATH,
    apiLimits: {
      maxConcurrency: values.MANAGEMENT_API_MAX_CONCURRENCY,
      maxPerSecond: values.MANAGEMENT_API_MAX_PER_SECOND,
      timeoutMs: values.MANAGEMENT_API_TIMEOUT_MS,
    },
    sync: {
      listActiveSeconds: values.SYNC_LIST_ACTIVE_SECONDS,
      listIdleSeconds: values.SYNC_LIST_IDLE_SECONDS,
      activeForSeconds: values.SYNC_ACTIVE_FOR_SECONDS,
      detailSeconds: values.SYNC_DETAIL_SECONDS,
      webhookSeconds: values.SYNC_WEBHOOK_SECONDS,
      refreshSeconds: values.SYNC_REFRESH_SECONDS,
      suspectSeconds: values.SYNC_DOUBT_SECONDS,
      retrySeconds: values.SYNC_RETRY_SECONDS,
    },
  }
}

function problemsOf(error: z.ZodError, env: Environment): string[] {
  return error.issues.map((issue) => {
    const variable = String(issue.path[0])
    const isUnexplained = issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')
    return env[variable] === undefined && isUnexplained ? `${variable} is required` : `${variable} ${issue.message}`
  })
}

/** The configuration of the portal. */
export type Config = ReturnType<typeof readConfig>

/**
 * Reads the part of the configuration that the operator's commands need, so that they work in a shell with those
 * variables only.
 * @throws ConfigurationError with every error at once
 */
export function readOperatorConfig(given?: Environment) {
  const { env, problems } = environmentOf(given)
  const { values, organisations } = parse(operatorSchema, env, readOrganisations(env), problems)
  return { ...syncConfigOf(values), organisations, organisationsFile: values.ORGANISATIONS_FILE }
}

/** The configuration of the operator's commands. */
export type OperatorConfig = ReturnType<typeof readOperatorConfig>
