import { createHmac } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import { TooManyRequestsError } from '../errors.ts'
import type { AuditWriter } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { type Limit, matches, networkLimit, rules, signedIn } from './rules.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import { derivedKey } from '../http/derived-key.ts'
import { clientNetwork } from '../http/client-network.ts'

/** The number of cached subject hashes. */
const mostHashes = 5000

/** A refusal: the time to wait, and whether it is the first of its period, which goes to the audit log. */
type Refused = { readonly waitMs: number; readonly first: boolean }

/** Counts a request of a subject; undefined when it is within the limit. */
type Consume = (subject: string) => Promise<Refused | undefined>

/** The part of a limit below which an address is counted in the process only. */
const quietPart = 10

/**
 * Creates the rate limits. `rules` hold for all instances together: the database counts, or this process while the
 * database fails. An address is counted in the database from a tenth of its limit on, so that strangers with many
 * addresses cannot fill the table. `signedIn` and the limits of all clients hold per instance, as they protect the
 * instance, and no page should write to the database (decision 0017).
 * `addresses` runs before the session is read, `users` after the user is known. Both throw TooManyRequestsError.
 */
export function createRateLimits(options: {
  readonly secrets: readonly string[]
  readonly database: Database
  readonly audit: AuditWriter
}): { readonly addresses: RequestHandler; readonly users: RequestHandler } {
  const { database, audit, secrets } = options
  // Keyed hashes, so that the table reveals neither addresses nor users.
  const key = derivedKey(secrets[0] ?? '', 'rate limit subjects')
  const hashes = new Map<string, string>()
  const hashOf = (value: string): string => {
    let hash = hashes.get(value)
    if (hash === undefined) {
      hash = createHmac('sha256', key).update(value).digest('base64url')
      if (hashes.size >= mostHashes) hashes.clear()
      hashes.set(value, hash)
    }
    return hash
  }

  const client = {
    // Without the name of the prepared statement, which a connection pooler would not know. pool.query() would close the
    // connection after a failed statement.
    query: async ({ text, values }: { text: string; values: unknown[] }) => {
      const connection = await database.pool.connect()
      try {
        return await connection.query(text, values)
      } finally {
        connection.release()
      }
    },
  }
  let hasSweeper = false
  const inMemory = (name: string, { most, seconds }: Limit) =>
    new RateLimiterMemory({ keyPrefix: name, points: most, duration: seconds })
  const inDatabase = (name: string, limit: Limit) => {
    const limiter = new RateLimiterPostgres({
      keyPrefix: name,
      points: limit.most,
      duration: limit.seconds,
      storeClient: client,
      storeType: 'pool',
      tableName: 'rate_limits',
      tableCreated: true,
      // One limiter deletes expired rows for all.
      clearExpiredByTimeout: !hasSweeper,
      inMemoryBlockOnConsumed: limit.most + 1,
      insuranceLimiter: inMemory(name, limit),
    })
    hasSweeper = true
    return limiter
  }

  const shared = (name: string, limit: Limit) =>
    consumeShared(inMemory(name, limit), inDatabase(name, limit), Math.floor(limit.most / quietPart))

  const counted = rules.map((rule) => ({
    rule,
    all: rule.all && inMemory(`${rule.name}:all`, rule.all),
    address: shared(`${rule.name}:address`, rule.address),
    network: shared(`${rule.name}:network`, networkLimit(rule)),
    user: rule.user && consumeOf(inDatabase(`${rule.name}:user`, rule.user)),
  }))
  const overall = {
    address: consumeOf(inMemory('signed-in:address', signedIn.address)),
    user: consumeOf(inMemory('signed-in:user', signedIn.user)),
  }

  const enforce = async (req: Request, consume: Consume, subject: string, limit: string): Promise<void> => {
    const refused = await consume(hashOf(subject))
    if (!refused) return
    const address = truncatedAddress(req.ip)
    if (refused.first)
      audit.noteRefusal({ event: 'too many requests', userId: req.user?.id, address, details: { limit } })
    throw new TooManyRequestsError(limit, Math.max(1, Math.ceil(refused.waitMs / 1000)))
  }

  return {
    addresses: async (req, _res, next) => {
      const found = counted.find(({ rule }) => matches(rule, req))
      if (!found) return next()
      const { rule, all, address, network } = found
      const ip = req.ip ?? ''
      // Before the address, so that a flood from many addresses is not counted one by one.
      if (all) await enforce(req, usedUp(all), 'all', `${rule.name}, all`)
      await enforce(req, address, clientNetwork(ip), `${rule.name}, address`)
      if (ip.includes(':')) await enforce(req, network, clientNetwork(ip, 48), `${rule.name}, network`)
      // After it: requests of an address over its limit take nothing from others.
      if (all) await enforce(req, consumeOf(all), 'all', `${rule.name}, all`)
      return next()
    },
    users: async (req, _res, next) => {
      if (!req.user) return next()
      const found = counted.find(({ rule }) => matches(rule, req))
      if (found?.user) await enforce(req, found.user, req.user.id, `${found.rule.name}, user`)
      await enforce(req, overall.address, clientNetwork(req.ip ?? ''), 'signed in, address')
      await enforce(req, overall.user, req.user.id, 'signed in, user')
      return next()
    },
  }
}

/** Refuses when the limit is exceeded already, and counts nothing. */
function usedUp(limiter: RateLimiterMemory): Consume {
  return async (subject) => {
    const counted = await limiter.get(subject)
    return counted && counted.consumedPoints > limiter.points
      ? { waitMs: counted.msBeforeNext, first: false }
      : undefined
  }
}

/** Counts in the process, and from `quiet` requests on in the database as well, where all instances count together. */
function consumeShared(local: RateLimiterMemory, database: RateLimiterPostgres, quiet: number): Consume {
  return async (subject) => {
    const { refused, consumed } = await take(local, subject)
    if (refused || consumed <= quiet) return refused
    // The first time with those that only the process has counted.
    return (await take(database, subject, consumed === quiet + 1 ? consumed : 1)).refused
  }
}

function consumeOf(limiter: RateLimiterAbstract): Consume {
  return async (subject) => (await take(limiter, subject)).refused
}

async function take(
  limiter: RateLimiterAbstract,
  subject: string,
  points = 1,
): Promise<{ readonly consumed: number; readonly refused?: Refused }> {
  try {
    return { consumed: (await limiter.consume(subject, points)).consumedPoints }
  } catch (result) {
    if (!(result instanceof RateLimiterRes)) throw result
    const { consumedPoints: consumed, msBeforeNext: waitMs } = result
    return { consumed, refused: { waitMs, first: consumed === limiter.points + 1 } }
  }
}
