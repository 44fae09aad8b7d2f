import type { Request } from 'express'
import { RateLimiterMemory, type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import { TooManyRequestsError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { AuditWriter } from '../store/audit.ts'

/**
 * The limits of downloads. Each instance counts its own, because it protects its processor and memory; a refusal needs
 * no statement.
 */
export const exportLimits = {
  /** Rows are counted for this long. */
  seconds: 600,
  /** The least that an export counts as, before its rows are known: it searches a whole list. */
  leastRows: 2_500,
  /** A hundred thousand rows keep a core busy for about five seconds. */
  rows: { user: 300_000, instance: 1_000_000 },
  /** Exports that run at once; a slow one costs memory only. */
  atOnce: { user: 2, instance: 8 },
} as const

/** An export that runs. */
export type RunningExport = {
  /** Counts its rows, before they are read. @throws TooManyRequestsError over a limit of rows */
  readonly count: (rows: number) => Promise<void>
  readonly end: () => void
}

/** Limits what exports read: `begin` admits an export before it reads anything. @throws TooManyRequestsError */
export function createExportLimits(audit: Pick<AuditWriter, 'noteRefusal'>): {
  readonly begin: (req: Request, userId: string) => Promise<RunningExport>
} {
  const { seconds: duration, leastRows, rows: most, atOnce } = exportLimits
  const rowsOfUser = new RateLimiterMemory({ keyPrefix: 'user', points: most.user, duration })
  const rowsOfInstance = new RateLimiterMemory({ keyPrefix: 'instance', points: most.instance, duration })
  const running = new Map<string, number>()

  async function take(req: Request, userId: string, rows: number): Promise<void> {
    const waitMs = await takeFrom(rowsOfUser, userId, rows)
    if (waitMs > 0) refuse(req, userId, 'export rows, user', waitMs)
    const waitForAllMs = await takeFrom(rowsOfInstance, 'all', rows)
    if (waitForAllMs === 0) return
    await rowsOfUser.reward(userId, rows)
    refuse(req, userId, 'export rows, instance', waitForAllMs)
  }

  function refuse(req: Request, userId: string, limit: string, waitMs: number): never {
    audit.noteRefusal({ event: 'too many requests', userId, address: truncatedAddress(req.ip), details: { limit } })
    throw new TooManyRequestsError(limit, Math.ceil(waitMs / 1000))
  }

  function end(userId: string): void {
    const left = (running.get(userId) ?? 1) - 1
    if (left > 0) running.set(userId, left)
    else running.delete(userId)
  }

  return {
    begin: async (req, userId) => {
      const mine = running.get(userId) ?? 0
      const all = running.values().reduce((sum, count) => sum + count, 0)
      if (mine >= atOnce.user || all >= atOnce.instance) throw new TooManyRequestsError('exports at once', 10)
      running.set(userId, mine + 1)
      try {
        await take(req, userId, leastRows)
      } catch (error) {
        end(userId)
        throw error
      }
      return {
        count: async (rows) => {
          // A list that is longer than the limit can be exported once per period.
          const more = Math.min(rows, most.user) - leastRows
          if (more > 0) await take(req, userId, more)
        },
        end: () => end(userId),
      }
    },
  }
}

/** Takes all of the points or none. @returns how long to wait when there are not enough, else 0 */
async function takeFrom(limiter: RateLimiterAbstract, key: string, points: number): Promise<number> {
  try {
    await limiter.consume(key, points)
    return 0
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused
    await limiter.reward(key, points)
    return Math.max(1, refused.msBeforeNext)
  }
}
