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

/** So many addresses and users are remembered by what they are called in the table. */
const mostKnown = 5000

/** When to come again, and whether this is the first refusal of that period, which is worth a line in the audit log. */
type Refused = { readonly waitMs: number; readonly first: boolean }

/** Counts a request of a subject; undefined where that is not too many. */
type Consume = (subject: string) => Promise<Refused | undefined>

/**
 * `rules` hold for all instances together: the database counts, or this process while the database fails. `signedIn` holds
 * for each instance, as what it protects is the instance, and no page should write to the database (decision 0017).
 * `addresses` goes before the session is read, `users` after it is known who asks.
 * Both throw TooManyRequestsError.
 */
export function createRateLimits(options: {
  readonly secrets: readonly string[]
  readonly database: Database
  readonly logger: Logger
}): { readonly addresses: RequestHandler; readonly users: RequestHandler } {
  const { database, logger, secrets } = options
  // No address stands in the table, and nobody can tell from it who was here.
  const key = derivedKey(secrets[0] ?? '', 'rate limit subjects')
  const known = new Map<string, string>()
  const hidden = (value: string): string => {
    let name = known.get(value)
    if (name === undefined) {
      name = createHmac('sha256', key).update(value).digest('base64url')
      if (known.size >= mostKnown) known.clear()
      known.set(value, name)
    }
    return name
  }

  // Names of prepared statements do not go along: a pooler in between would not know them.
  const client = {
    query: ({ text, values }: { text: string; values: unknown[] }) => database.pool.query(text, values),
  }
  let sweeps = false
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
      // One of them sweeps the table for all.
      clearExpiredByTimeout: !sweeps,
      inMemoryBlockOnConsumed: limit.most + 1,
      insuranceLimiter: inMemory(name, limit),
    })
    sweeps = true
    return limiter
  }

  const counted = rules.map((rule) => ({
    rule,
    address: consumeOf(inDatabase(`${rule.name}:address`, rule.address)),
    user: rule.user && consumeOf(inDatabase(`${rule.name}:user`, rule.user)),
  }))
  const everything = {
    address: consumeOf(inMemory('signed-in:address', signedIn.address)),
    user: consumeOf(inMemory('signed-in:user', signedIn.user)),
  }

  const hold = async (req: Request, consume: Consume, subject: string, limit: string): Promise<void> => {
    const refused = await consume(hidden(subject))
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
      if (found) await hold(req, found.address, clientNetwork(req.ip ?? ''), `${found.rule.name}, address`)
      next()
    },
    users: async (req, _res, next) => {
      if (!req.user) return next()
      const found = counted.find(({ rule }) => matches(rule, req))
      if (found?.user) await hold(req, found.user, req.user.id, `${found.rule.name}, user`)
      await hold(req, everything.address, clientNetwork(req.ip ?? ''), 'signed in, address')
      await hold(req, everything.user, req.user.id, 'signed in, user')
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
