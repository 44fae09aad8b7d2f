import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { Client } from 'pg'
import { z } from 'zod'
import { readLogo } from '../brand/logo.ts'
import { emailAddress } from '../domain/email-address.ts'

/** An absolute URL. */
export const url = z.string().transform((value, context) => {
  if (URL.canParse(value)) return new URL(value)
  context.addIssue({ code: 'custom', message: 'is not a URL' })
  return z.NEVER
})

const exampleDatabase = 'postgres://portal:secret@127.0.0.1:5432/portal'

/** A PostgreSQL URL as `pg` accepts it; `host` may be the directory of a socket, for example. */
export const databaseUrl = z
  .string(`is required: where PostgreSQL is, such as ${exampleDatabase}; "npm run demo" brings its own`)
  .superRefine((value, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message })
    if (!/^postgres(ql)?:\/\//.test(value)) return refuse(`must be a URL such as ${exampleDatabase}`)
    if (isPasswordCut(value)) return refuse(unencoded)
    try {
      return void new Client(value)
    } catch (error) {
      if (error instanceof TypeError || error instanceof URIError) return refuse(unencoded)
      return refuse(`cannot be used: ${error instanceof Error ? error.message : String(error)}`)
    }
  })

const unencoded = 'is not a valid PostgreSQL URL: percent-encode special characters in the password, such as # as %23'

/**
 * True when `/`, `?` or `#` in the password has ended the host: what follows it would be part of an error message as the
 * host, the port or the name of the database.
 */
function isPasswordCut(value: string): boolean {
  const [, host = '', rest = ''] = /^\w+:\/\/([^/?#]*)(.*)$/s.exec(value) ?? []
  const [path = ''] = rest.split('?')
  return rest.includes('#') || path.includes('@') || (rest.includes('@') && !host.includes('@') && host.includes(':'))
}

/** Requires https except on this machine, as secrets and personal data are sent there. */
const safeUrl = url.refine(
  (value) => value.protocol === 'https:' || (value.protocol === 'http:' && isLoopback(value)),
  'must be https (http only on localhost, 127.0.0.1 or [::1])',
)

/** The base URL of an API, without a trailing slash. */
export const baseUrl = safeUrl
  .refine((value) => !value.search && !value.hash && !value.username, 'must not have a query, a fragment or a user')
  .transform((value) => value.href.replace(/\/$/, ''))

/** The issuer in the provider's own spelling. */
export const issuerUrl = safeUrl.refine((value) => !value.search && !value.hash, 'must not have a query or a fragment')

/** Scheme, host and port only. */
export const origin = safeUrl
  .refine(
    (value) => value.href === `${value.origin}/`,
    'must be an origin such as https://portal.example.com, without a path',
  )
  .transform((value) => value.origin)

/** Secrets separated by commas; the first one signs. */
export const sessionSecrets = z
  .string()
  .transform((value) => value.split(',').map((secret) => secret.trim()))
  .refine((secrets) => secrets.every((secret) => secret.length >= 32), 'each secret must be at least 32 characters')

const leastSecretBytes = 32

/** A secret of at least 32 bytes in hex or base64, such as from `openssl rand -hex 32`. */
export const binarySecret = z.string().transform((value, context) => {
  const text = value.trim()
  const isHex = /^([\da-f]{2})+$/i.test(text)
  const isBase64 = /^[\w+/-]+={0,2}$/.test(text)
  const bytes = Buffer.from(text, isHex ? 'hex' : 'base64')
  if ((isHex || isBase64) && bytes.length >= leastSecretBytes) return bytes
  const message = `must be at least ${leastSecretBytes} bytes in hex or base64, such as from openssl rand -hex 32`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

/** The path of a file with such a secret, read at start. */
export const binarySecretFile = z.string().transform((path, context) => {
  const fail = (message: string) => {
    context.addIssue({ code: 'custom', message: `(${path}) ${message}` })
    return z.NEVER
  }
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return fail(`cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  const { data, error } = binarySecret.safeParse(text)
  return data ?? fail(error?.issues[0]?.message ?? 'is invalid')
})

/** A colour as #rrggbb. The `#` is optional in the variable, because it begins a comment in a file `.env`. */
export const hexColour = z
  .string()
  .trim()
  .regex(/^#?([\da-f]{3}|[\da-f]{6})$/i, 'must be a hex colour such as 0b6a53')
  .transform((value) => value.replace('#', '').toLowerCase())
  .transform((hex) => `#${hex.length === 3 ? hex.replace(/./g, '$&$&') : hex}`)

/** A name of one line. */
export const shortName = z
  .string()
  .trim()
  .max(60, 'must have at most 60 characters')
  .regex(/^\P{C}*$/u, 'must be one line without control characters')

/** A logo, read from its path at start. */
export const logoFile = z.string().transform((path, context) => {
  const read = readLogo(path)
  if (!('problem' in read)) return read
  context.addIssue({ code: 'custom', message: `(${path}) ${read.problem}` })
  return z.NEVER
})

/** The value of Express's `trust proxy`. */
export const trustProxy = z
  .string()
  .refine(
    (value) => /^(none|[1-9])$/.test(value) || value.split(',').every((proxy) => isProxy(proxy.trim())),
    'must be none, a number of proxies from 1 to 9, or addresses, subnets, loopback, linklocal or uniquelocal separated by commas',
  )
  .transform((value) => (value === 'none' ? false : /^[1-9]$/.test(value) ? Number(value) : value))

/** A whole number between inclusive bounds. */
export function wholeNumber(least: number, most: number) {
  return z.coerce.number(`must be a whole number from ${least} to ${most}`).int().min(least).max(most)
}

/** A switch. */
export const trueOrFalse = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true')

/** A time zone by its IANA name. */
export const timeZone = z.string().refine((value) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).format() !== ''
  } catch {
    return false
  }
}, 'must be a time zone such as Europe/Oslo')

/** A mail server: `smtps://` for implicit TLS, `smtp://` for STARTTLS, which is optional on loopback only. */
export const smtpServer = url.transform((value, context) => {
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  if (!['smtp:', 'smtps:'].includes(value.protocol) || value.hostname === '')
    return refuse('must be smtps://user:password@host:port, or smtp:// where the server has STARTTLS')
  if (!/^\/?$/.test(value.pathname) || value.search || value.hash)
    return refuse('must not have a path, a query or a fragment')
  const [user, pass] = [decoded(value.username), decoded(value.password)]
  if (user === undefined || pass === undefined || (user === '') !== (pass === ''))
    return refuse('must have both a user and a password, percent-encoded, or neither')
  const secure = value.protocol === 'smtps:'
  return {
    host: value.hostname.replace(/^\[|\]$/g, ''),
    port: value.port === '' ? (secure ? 465 : 587) : Number(value.port),
    secure,
    loopback: isLoopback(value),
    credentials: user === '' ? undefined : { user, pass },
  }
})

/** The sender of mails: `portal@example.com`, or `Partner portal <portal@example.com>`. */
export const mailSender = z.string().transform((value, context) => {
  const [, name = '', bracketed] = /^([^<>\p{Cc}]*)<([^<>]+)>$/u.exec(value.trim()) ?? []
  const address = emailAddress(bracketed ?? value)
  if (address !== undefined) return { name: name.trim().replace(/^"(.*)"$/, '$1'), address }
  context.addIssue({
    code: 'custom',
    message: 'must be an e-mail address, or a name and an address such as Partner portal <portal@example.com>',
  })
  return z.NEVER
})

/** An e-mail address. */
export const mailAddress = z.string().transform((value, context) => {
  const address = emailAddress(value)
  if (address !== undefined) return address
  context.addIssue({ code: 'custom', message: 'must be an e-mail address such as help@example.com' })
  return z.NEVER
})

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
}

/** True for one proxy in Express's syntax: the name of a range, an address, or a subnet. */
function isProxy(proxy: string): boolean {
  const [address = '', prefix, ...rest] = proxy.split('/')
  if (prefix === undefined && ['loopback', 'linklocal', 'uniquelocal'].includes(proxy)) return true
  const family = isIP(address)
  const longest = family === 4 ? 32 : 128
  return (
    family !== 0 && rest.length === 0 && (prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= longest))
  )
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
