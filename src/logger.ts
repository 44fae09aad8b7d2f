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

/** Type, message, stack and cause of an error; not its other members, which may hold anything. */
const errorForLog = (error: unknown): unknown =>
  error instanceof Error
    ? {
        type: error.name,
        message: error.message,
        stack: error.stack,
        cause: error.cause && errorForLog(error.cause),
      }
    : typeof error

/**
 * The process's logger: JSON lines on stdout. Redaction is the second line of defence; the first is that no call
 * passes secrets, e-mail addresses or query text.
 */
export const createLogger = (level: string, destination?: DestinationStream): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorForLog },
      mixin: () => ({ ...requestScope.getStore() }),
      redact: { paths: redactPaths, censor: '[redacted]' },
    },
    // At once: to hand each line to another thread and back costs more than to write it, and a crash loses none.
    destination ?? fileDestination({ dest: 1, sync: true }),
  )
