import { createHmac } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import { TooManyRequestsError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { type Limit, matches, rules, signedIn } from './rules.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import { derivedKey } from '../http/derived-key.ts'
import { clientNetwork } from '../http/client-network.ts'

/** The number of cached subject hashes. */
const mostHashes = 5000

/** A refusal: the time to wait, and whether it is the first of its period, which goes to the audit log. */
type Refused = { readonly waitMs: number; readonly first: boolean }

/** Counts a request of a subject; undefined when it is within the limit. */
type Consume = (subject: string) => Promise<Refused | undefined>

/**
 * Creates the rate limits. `rules` hold for all instances together: the database counts, or this process while the
 * database fails. `signedIn` holds per instance, as it protects the instance, and no page should write to the database
 * (decision 0017).
 * `addresses` runs before the session is read, `users` after the user is known. Both throw TooManyRequestsError.
 */
export function createRateLimits(options: {
  readonly secrets: readonly string[]
  readonly database: Database
  readonly logger: Logger
}): { readonly addresses: RequestHandler; readonly users: RequestHandler } {
  const { database, logger, secrets } = options
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

  // Without the name of the prepared statement, which a connection pooler would not know.
  const client = {
    query: ({ text, values }: { text: string; values: unknown[] }) => database.pool.query(text, values),
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

  const counted = rules.map((rule) => ({
    rule,
    address: consumeOf(inDatabase(`${rule.name}:address`, rule.address)),
    user: rule.user && consumeOf(inDatabase(`${rule.name}:user`, rule.user)),
  }))
  const overall = {
    address: consumeOf(inMemory('signed-in:address', signedIn.address)),
    user: consumeOf(inMemory('signed-in:user', signedIn.user)),
  }

  const enforce = async (req: Request, consume: Consume, subject: string, limit: string): Promise<void> => {
    const refused = await consume(hashOf(subject))
    if (!refused) return
    if (refused.first)
      await recordAudit(database.kysely, logger, {
        event: 'too many requests',
        userId: req.user?.id,
        address: truncatedAddress(req.ip),
        details: { limit },
      })
    throw new TooManyRequestsError(limit, Math.max(1, Math.ceil(refused.waitMs / 1000)))
  }

  return {
    addresses: async (req, _res, next) => {
      const found = counted.find(({ rule }) => matches(rule, req))
      if (found) await enforce(req, found.address, clientNetwork(req.ip ?? ''), `${found.rule.name}, address`)
      next()
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

function consumeOf(limiter: RateLimiterAbstract): Consume {
  return async (subject) => {
    try {
      await limiter.consume(subject)
      return undefined
    } catch (refused) {
      if (refused instanceof RateLimiterRes)
        return { waitMs: refused.msBeforeNext, first: refused.consumedPoints === limiter.points + 1 }
      throw refused
    }
  }
}
