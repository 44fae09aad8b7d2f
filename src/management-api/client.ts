import pRetry from 'p-retry'
import type { z } from 'zod'
import { NotFoundError, UpstreamBusyError, UpstreamUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { type CallOptions, createSendAuthorised, type Get, type Tally } from './authorised.ts'
import { digestOfBody, whileInFlight } from './body.ts'
import { failureOf } from './failure.ts'
import { createSender, type Limits, type Outcome } from './http.ts'
import type { Credentials } from './credentials.ts'
import { readLeniently } from './lenient.ts'
import { parseRows, type RowHandlers, type Rows, unreadMembersOf } from './parse.ts'
import { maxRecordBytes, type RawRecord, readRecord, readRecords, UnreadableListError } from './records.ts'
import { createRepeats } from './repeats.ts'
import { type SystemIdentity, systemHeaders } from './system-headers.ts'

export type { CallOptions, Get }

/** Options of a list call: priority, signal and row handlers. */
export type ListOptions = CallOptions & {
  /** Called with a digest of the body; returns the handlers of its rows, or undefined when they are not needed. */
  readonly begin?: (digest: string) => Promise<RowHandlers<Readonly<Record<string, unknown>>> | undefined>
}

/**
 * Calls the Management API as one organisation. Both calls throw UpstreamRefusedError (a second 401, a 403, or a
 * refusal by the token endpoint), UpstreamBusyError (the API asks to wait), UpstreamNotFoundError (404) or
 * UpstreamUnavailableError (everything else, including an invalid response).
 */
export type ManagementApiClient = {
  readonly organisation: Organisation
  readonly productOrderTemplatesPath: string
  /** The only sales unit that sales unit credentials can access; undefined for others. */
  readonly onlyMsn: string | undefined
  /** Milliseconds until calls are allowed again; 0 when they are. */
  pausedMs(): number
  /** Rows may have been handed over when it throws: a list can turn out to be invalid in the middle. */
  list<Schema extends z.ZodType<Readonly<Record<string, unknown>>>>(
    schema: Schema,
    get: Get,
    options: ListOptions,
  ): Promise<Rows<z.output<Schema>>>
  one<Schema extends z.ZodType<Readonly<Record<string, unknown>>>>(
    schema: Schema,
    get: Get,
    options: CallOptions,
  ): Promise<z.output<Schema>>
}

/** The options of createManagementApiClient. */
export type ClientOptions = {
  readonly organisation: Organisation
  readonly keys: Credentials
  /** Base URLs without a trailing slash. */
  readonly managementApiUrl: string
  readonly webhooksApiUrl: string
  readonly productOrderTemplatesPath?: string
  readonly limits?: Partial<Limits & { readonly retryDelayMs: number }>
  readonly system: SystemIdentity
  readonly logger: Logger
  /** The clock for token expiry, in ms since the epoch. */
  readonly now?: () => number
}

const defaultLimits = {
  maxConcurrency: 10,
  maxPerSecond: 10,
  timeoutMs: 10_000,
  maxBodyBytes: 64 * 1024 * 1024,
  maxBytesInFlight: 256 * 1024 * 1024,
  /** The delay before the first retry, doubled before the second; jitter adds up to as much again. */
  retryDelayMs: 500,
}

/** Creates the client of one organisation, with its own tokens, limits and log context. */
export function createManagementApiClient(options: ClientOptions): ManagementApiClient {
  const { organisation, keys } = options
  const limits = { ...defaultLimits, ...options.limits }
  const logger = options.logger.child({ organisation: organisationKey(organisation) })
  const urls = { management: options.managementApiUrl, webhooks: options.webhooksApiUrl }
  const common = { Accept: 'application/json', ...systemHeaders(options.system) }
  const sender = createSendAuthorised(createSender(limits, logger, options.now), keys, urls, common, options.now)
  const repeats = createRepeats(options.now)

  /** The raw body of the response. */
  async function read(get: Get, callOptions: CallOptions): Promise<Buffer> {
    const tally: Tally = { attempts: 0, renewed: false }
    let outcome: Outcome | undefined
    const attempt = async (): Promise<Buffer> => {
      outcome = undefined
      outcome = await sender.send(get, callOptions, tally)
      if (!outcome.ok) throw failureOf(get.purpose, outcome)
      return outcome.body
    }
    return pRetry(attempt, {
      retries: 2,
      minTimeout: limits.retryDelayMs,
      randomize: true,
      signal: callOptions.signal,
      // A Retry-After comes on top: no call of the organisation gets a permit before.
      shouldRetry: ({ error }) => isTransient(error) && !(outcome?.ok === false && outcome.refused),
    })
  }

  function invalid({ purpose }: Get, issues: readonly string[]): Error {
    logger.warn({ purpose, issues: issues.slice(0, 20) }, 'invalid upstream response')
    return new UpstreamUnavailableError({ purpose, status: 200 }, { cause: new Error('invalid upstream response') })
  }

  /** Details are read record by record, so that equal lines are counted. */
  function noteUnread({ purpose }: Get, members: Readonly<Record<string, unknown>>): void {
    const unread = unreadMembersOf(members)
    const repeated = repeats.note(JSON.stringify([purpose, unread]))
    repeats.ended()
    if (repeated !== undefined)
      logger.warn({ purpose, unread, ...(repeated > 1 && { repeated }) }, 'upstream members unread')
  }

  return {
    organisation,
    productOrderTemplatesPath: options.productOrderTemplatesPath ?? '/management/v1/product-order-templates',
    onlyMsn: keys.type === 'sales-unit' ? keys.merchantSerialNumber : undefined,
    pausedMs: sender.pausedMs,
    list: async (schema, get, callOptions) => {
      const body = await read(get, callOptions)
      const parse = async () => {
        const handlers = callOptions.begin ? await callOptions.begin(await digestOfBody(body)) : {}
        return handlers && parseRows(schema, readRecords(body, get, callOptions.signal), get.idMember, handlers)
      }
      const parsed = await whileInFlight(body, parse).catch((error: unknown) => {
        throw error instanceof UnreadableListError ? invalid(get, [error.message]) : error
      })
      if (!parsed) return { rows: [], malformed: [] }
      const { rows, malformed, reasons, unread } = parsed
      if (malformed.length > 0)
        logger.warn({ purpose: get.purpose, skipped: malformed.length, reasons }, 'upstream rows skipped')
      if (Object.keys(unread).length > 0) logger.warn({ purpose: get.purpose, unread }, 'upstream members unread')
      return { rows, malformed }
    },
    one: async (schema, get, callOptions) => {
      const body = await read({ ...get, maxBytes: maxRecordBytes }, callOptions)
      const record = recordOf(body)
      if (typeof record === 'string') throw invalid(get, [record])
      const answer = readLeniently(schema, record?.value)
      if (answer.issues) throw invalid(get, answer.issues)
      const isAnother = get.id !== undefined && answer.record[get.idMember ?? ''] !== get.id
      if (isAnother) throw invalid(get, [`${get.idMember}: of another record`])
      if (answer.unread) noteUnread(get, answer.unread)
      return answer.record
    },
  }
}

/** A failure that may be temporary: the API asks to wait, no complete response, 423, 429 and 5xx. */
function isTransient(error: Error): boolean {
  if (error instanceof UpstreamBusyError) return true
  if (!(error instanceof UpstreamUnavailableError)) return false
  const { status } = error.failure
  return status === undefined || status === 423 || status === 429 || status >= 500
}

/** The record of a response, undefined for an empty body, or the problem as text. */
function recordOf(body: Buffer): RawRecord | string | undefined {
  try {
    const record = readRecord(body)
    return record?.problem ?? record
  } catch (error) {
    if (error instanceof UnreadableListError) return error.message
    throw error
  }
}

/**
 * An id as one path segment. Ids of the API need no escaping, and `..` would leave the path with the organisation's
 * credentials (RFC 3986, 5.2.4).
 * @throws NotFoundError for anything but 1 to 64 letters, digits, `:`, `_`, `-`
 */
export function segment(id: string): string {
  if (!/^[\w:-]{1,64}$/.test(id)) throw new NotFoundError('not an id of the Management API')
  return id
}
