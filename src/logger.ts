import { AsyncLocalStorage } from 'node:async_hooks'
import { destination as fileDestination, type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

/** Names of fields whose value never reaches a log, at whatever depth up to three they stand. */
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

/** The request that the code running now works for; each line it logs carries its id, however deep down. */
export const requestScope = new AsyncLocalStorage<{ readonly requestId: string }>()

/**
 * The process's logger: JSON lines on stdout. Redaction is the second line of defence; the first is that no call
 * passes secrets, e-mail addresses or query text.
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
        // `err.code` names `err`, so that `censor` is told of it.
        paths: [...redactPaths, 'err.code'],
        // What `errorForLog` lets through is no secret, also the `code`.
        censor: (value: unknown, path: string[]) => (path[0] === 'err' ? value : '[redacted]'),
      },
    },
    // At once: to hand each line to another thread and back costs more than to write it, and a crash loses none.
    destination ?? fileDestination({ dest: 1, sync: true }),
  )
}

/** Type, message, stack, code and causes of an error; not its other members, which may hold anything. */
function errorForLog(error: unknown, depth = 0): unknown {
  if (!isErrorLike(error)) return { type: typeof error, ...(typeof error === 'string' && { message: error }) }
  const { name = 'Error', message, stack, code, cause, errors } = error
  const nested = (some: readonly unknown[]): unknown[] =>
    depth < mostNested ? some.slice(0, mostNested).map((one) => errorForLog(one, depth + 1)) : []
  return {
    type: name,
    message,
    stack,
    // ECONNREFUSED, 23505; an authorization code looks different.
    code: /^[A-Z\d_]{1,50}$/.test(String(code)) ? code : undefined,
    cause: cause === undefined ? undefined : nested([cause])[0],
    // What an AggregateError has instead of a message.
    errors: Array.isArray(errors) ? nested(errors) : undefined,
  }
}

/** Not `instanceof`: some libraries emit copies of errors that are plain objects, and a worker's errors are of another realm. */
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
