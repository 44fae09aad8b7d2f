import pRetry from 'p-retry'
import type { z } from 'zod'
import {
  type Purpose,
  UpstreamNotFoundError,
  UpstreamRefusedError,
  UpstreamUnavailableError,
} from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Organisation, organisationKey } from '../organisation.ts'
import { type CallOptions, createSendAuthorised, type Get, type Tally } from './authorised.ts'
import { createSend, type Limits, type Outcome } from './http.ts'
import type { Pace } from './limiter.ts'
import type { Keys } from './keys.ts'
import { isLong, listElsewhere } from './list-elsewhere.ts'
import { inPieces, issuesOf, parseRows, type Rows, UnreadableListError } from './parse.ts'
import { type SystemIdentity, systemHeaders } from './system-headers.ts'

export type { CallOptions, Get }

/** `take` gets the rows one by one as they are parsed, and then they are in no result: a list can be long. */
export type ListOptions = CallOptions & { readonly take?: (row: Readonly<Record<string, unknown>>) => void }

/**
 * Reads the Management API as one organisation. Both calls throw UpstreamRefusedError (a second 401, a 403, or a
 * refusal by the token endpoint), UpstreamNotFoundError (404) or UpstreamUnavailableError (everything else, an
 * answer that makes no sense too).
 */
export type ManagementApiClient = {
  readonly organisation: Organisation
  readonly productOrderTemplatesPath: string
  /** The only sales unit that sales unit keys can ask for; undefined for other keys. */
  readonly onlyMsn: string | undefined
  list<Schema extends z.ZodType<Readonly<Record<string, unknown>>>>(
    schema: Schema,
    get: Get,
    options: ListOptions,
  ): Promise<Rows<z.output<Schema>>>
  one<Schema extends z.ZodType>(schema: Schema, get: Get, options: CallOptions): Promise<z.output<Schema>>
}

export type ClientOptions = {
  readonly organisation: Organisation
  readonly keys: Keys
  /** Both without a trailing slash. */
  readonly managementApiUrl: string
  readonly webhooksApiUrl: string
  readonly productOrderTemplatesPath?: string
  readonly limits?: Partial<Limits & { readonly retryDelayMs: number }>
  /** Turns to call, which all instances of the portal share. */
  readonly pace: Pace
  readonly system: SystemIdentity
  readonly logger: Logger
  /** The clock that tokens expire by, ms since the epoch. */
  readonly now?: () => number
}

const defaultLimits = {
  maxConcurrency: 10,
  maxPerSecond: 10,
  timeoutMs: 10_000,
  maxBodyBytes: 64 * 1024 * 1024,
  /** Before the first retry, and twice that before the second; jitter adds up to as much again. */
  retryDelayMs: 500,
}

const errorOf = (purpose: Purpose, outcome: Outcome & { ok: false }): Error => {
  const { status, title, traceId, reason } = outcome
  const failure = { purpose, status, title, traceId }
  const cause = new Error(reason)
  if (status === 401 || status === 403) return new UpstreamRefusedError(failure, { cause })
  if (status === 404) return new UpstreamNotFoundError(failure, { cause })
  return new UpstreamUnavailableError(failure, { cause })
}

/** A failure that may soon be over: no whole answer, 423, 429 and 5xx. */
const isTransient = (error: Error): boolean => {
  if (!(error instanceof UpstreamUnavailableError)) return false
  const { status } = error.failure
  return status === undefined || status === 423 || status === 429 || status >= 500
}

/** The list inside an answer; false, which is no list, when it should be inside and is not. */
const memberOf = (answer: unknown, member: string | undefined): unknown => {
  if (member === undefined || answer === undefined) return answer
  return (
    typeof answer === 'object' &&
    answer !== null &&
    (Object.entries(answer).find(([key]) => key === member)?.[1] ?? false)
  )
}

/** One client an organisation: its tokens, its limits and its name in the log are its own. */
export const createManagementApiClient = (options: ClientOptions): ManagementApiClient => {
  const { organisation, keys } = options
  const limits = { ...defaultLimits, ...options.limits }
  const logger = options.logger.child({ organisation: organisationKey(organisation) })
  const urls = { management: options.managementApiUrl, webhooks: options.webhooksApiUrl }
  const common = { Accept: 'application/json', ...systemHeaders(options.system) }
  const send = createSendAuthorised(createSend(limits, options.pace, logger), keys, urls, common, options.now)

  /** The answer's body, as it came. */
  const read = async (get: Get, callOptions: CallOptions): Promise<Buffer> => {
    const tally: Tally = { attempts: 0, renewed: false }
    let outcome: Outcome | undefined
    const attempt = async (): Promise<Buffer> => {
      outcome = undefined
      outcome = await send(get, callOptions, tally)
      if (!outcome.ok) throw errorOf(get.purpose, outcome)
      return outcome.body
    }
    return pRetry(attempt, {
      retries: 2,
      minTimeout: limits.retryDelayMs,
      randomize: true,
      signal: callOptions.signal,
      // What the API asked to wait comes on top: no call of the organisation gets a turn before.
      shouldRetry: ({ error }) => isTransient(error) && !(outcome?.ok === false && outcome.refused),
    })
  }

  /** The answer's JSON, undefined when it has no body. */
  const parse = (get: Get, body: Buffer): unknown => {
    const text = body.toString('utf8')
    if (text.trim() === '') return undefined
    try {
      return JSON.parse(text)
    } catch {
      throw senseless(get, ['the answer is not JSON'])
    }
  }

  const senseless = ({ purpose }: Get, issues: readonly string[]): Error => {
    logger.warn({ purpose, issues: issues.slice(0, 20) }, 'upstream answer makes no sense')
    return new UpstreamUnavailableError(
      { purpose, status: 200 },
      { cause: new Error('the answer makes no sense') },
    )
  }

  return {
    organisation,
    productOrderTemplatesPath: options.productOrderTemplatesPath ?? '/management/v1/product-order-templates',
    onlyMsn: keys.type === 'sales-unit' ? keys.merchantSerialNumber : undefined,
    list: async (schema, get, callOptions) => {
      const body = await read(get, callOptions)
      const pieces = isLong(body)
        ? listElsewhere({ body, member: get.member }, callOptions.signal)
        : inPieces(memberOf(parse(get, body), get.member))
      const parsed = await parseRows(schema, pieces, callOptions.take).catch((error: unknown) => {
        throw error instanceof UnreadableListError ? senseless(get, [error.message]) : error
      })
      const { rows, malformed, reasons } = parsed
      if (malformed.length > 0) {
        const { purpose } = get
        logger.warn({ purpose, skipped: malformed.length, reasons }, 'upstream rows skipped')
      }
      return { rows, malformed }
    },
    one: async (schema, get, callOptions) => {
      const parsed = schema.safeParse(parse(get, await read(get, callOptions)))
      if (!parsed.success) throw senseless(get, issuesOf(parsed.error))
      return parsed.data
    },
  }
}
