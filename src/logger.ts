import { AsyncLocalStorage } from 'node:async_hooks'
import { destination as fileDestination, type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

/** Fields that are redacted in the log, at up to three levels of depth. */
const secretFields = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'clientSecret',
  'client_secret',
  'subscriptionKey',
  'Ocp-Apim-Subscription-Key',
  'token',
  'access_token',
  'id_token',
  'idToken',
  'refresh_token',
  'code',
  'code_verifier',
  'state',
  'nonce',
  'email',
  'q',
]

const redactPaths = secretFields.flatMap((field) => {
  const key = /^\w+$/.test(field) ? `.${field}` : `["${field}"]`
  return [key.replace(/^\./, ''), `*${key}`, `*.*${key}`]
})

/** The current request; every log line within it has its id. */
export const requestScope = new AsyncLocalStorage<{ readonly requestId: string }>()

/**
 * Creates the logger of the process: JSON lines on stdout. Redaction is the second line of defence; the first is that
 * no call logs secrets, e-mail addresses or query text.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => errorForLog(error) },
      mixin: () => ({ ...requestScope.getStore() }),
      redact: {
        // Includes `err.code`, so that `censor` is called for `err`.
        paths: [...redactPaths, 'err.code'],
        // `errorForLog` has removed secrets from errors, so their `code` is kept.
        censor: (value: unknown, path: string[]) => (path[0] === 'err' ? value : '[redacted]'),
      },
    },
    // Synchronous: a worker thread costs more than the write, and a crash would lose lines.
    destination ?? fileDestination({ dest: 1, sync: true }),
  )
}

/** Writes to the log what Node.js would print as text: warnings of libraries, and an error that ends the process. */
export function logProcessProblems(logger: Logger): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => logger.warn({ err: warning }, 'process warning'))
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught error: the process ends')
    process.exit(1)
  })
}

/** Type, message, stack, code and causes of an error; other members are dropped, as they may contain anything. */
function errorForLog(error: unknown, depth = 0): unknown {
  if (!isErrorLike(error)) return { type: typeof error, ...(typeof error === 'string' && { message: error }) }
  const { name = 'Error', message, stack, code, cause, errors } = error
  const nested = (some: readonly unknown[]): unknown[] =>
    depth < mostNested ? some.slice(0, mostNested).map((one) => errorForLog(one, depth + 1)) : []
  return {
    type: name,
    message,
    stack,
    // Such as ECONNREFUSED or 23505; an authorization code does not match.
    code: /^[A-Z\d_]{1,50}$/.test(String(code)) ? code : undefined,
    cause: cause === undefined ? undefined : nested([cause])[0],
    // The errors of an AggregateError.
    errors: Array.isArray(errors) ? nested(errors) : undefined,
  }
}

/** Not `instanceof`: some libraries emit plain copies of errors, and errors of a worker belong to another realm. */
function isErrorLike(value: unknown): value is ErrorLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'message' in value &&
    'stack' in value &&
    typeof value.message === 'string'
  )
}

const mostNested = 4

type ErrorLike = Pick<Error, 'message'> & {
  readonly [Name in 'name' | 'stack' | 'code' | 'cause' | 'errors']?: unknown
}
