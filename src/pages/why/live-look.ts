import type { Request } from 'express'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type Organisation, organisationKey } from '../../domain/organisation.ts'
import { truncatedAddress } from '../../http/truncated-address.ts'
import type { AuditWriter } from '../../store/audit.ts'
import type { DetailResource, Failure, SyncState } from '../../store/sync-state.ts'
import type { FreshnessService } from '../../sync/freshness.ts'

/** A record to ask the API about. */
export type Wanted = {
  readonly resource: Exclude<DetailResource, 'salesUnitWebhooks'>
  readonly key: string
  /** Only an answer since then counts, such as one since the record was removed. */
  readonly since?: Date | undefined
}

/** What the API said about it; `silent`: nothing within 3 s, `limited`: it was not asked, as the user asks too often. */
export type Look =
  | { readonly said: 'present' | 'absent'; readonly at: Date }
  | { readonly said: 'failed'; readonly failure: Failure; readonly since: Date }
  | { readonly said: 'silent' }
  | { readonly said: 'limited'; readonly waitMs: number }

/** The limits of live looks; each instance counts its own. */
export const liveLookLimits = { calls: 3, perUser: { points: 30, duration: 600 } } as const

/** Asks the API about these records at once, for a user who waits; those that it has just answered are not asked for. */
export type LiveLook = (
  req: Request,
  organisation: Organisation,
  wanted: readonly (Wanted | undefined)[],
) => Promise<readonly (Look | undefined)[]>

/**
 * Creates the live look: read-only calls for the records that a page explains, at most three a page and for 30 pages in
 * ten minutes. The sync makes them, within the limit of the organisation. The audit log has every record asked for.
 */
export function createLiveLook({
  freshness,
  audit,
}: {
  readonly freshness: Pick<FreshnessService, 'ask'>
  readonly audit: Pick<AuditWriter, 'note' | 'noteRefusal'>
}): LiveLook {
  const limiter = new RateLimiterMemory(liveLookLimits.perUser)
  return async (req, organisation, wanted) => {
    const userId = req.user?.id
    if (userId === undefined) return wanted.map(() => undefined)
    const who = { userId, organisation: organisationKey(organisation), address: truncatedAddress(req.ip) }
    let admitted: Promise<number> | undefined
    const askedFor = new Set(wanted.filter((one) => one !== undefined).slice(0, liveLookLimits.calls))
    return Promise.all(
      wanted.map(async (one) => {
        if (!one || !askedFor.has(one)) return undefined
        const { resource, key, since } = one
        const state = await freshness.ask(organisation, resource, key, since, async () => {
          const waitMs = await (admitted ??= takeFrom(limiter, userId))
          if (waitMs === 0) audit.note({ ...who, event: 'live look', details: { [resource]: key } })
          else audit.noteRefusal({ ...who, event: 'too many requests', details: { limit: 'live looks, user' } })
          return waitMs === 0
        })
        return state ? lookOf(state) : { said: 'limited', waitMs: (await admitted) ?? 0 }
      }),
    )
  }
}

/** @returns 0, or how long to wait for the next look */
async function takeFrom(limiter: RateLimiterMemory, userId: string): Promise<number> {
  try {
    await limiter.consume(userId)
    return 0
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused
    return Math.max(1, refused.msBeforeNext)
  }
}

function lookOf({ failure, failingSince, requested, checkedAt, absent }: SyncState): Look {
  if (failure && failingSince) return { said: 'failed', failure, since: failingSince }
  if (requested || !checkedAt) return { said: 'silent' }
  return { said: absent ? 'absent' : 'present', at: checkedAt }
}
