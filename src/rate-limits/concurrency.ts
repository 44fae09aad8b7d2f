import type { RequestHandler } from 'express'
import { TooManyRequestsError } from '../errors.ts'

type Work = { atWork: number; readonly waiting: (() => void)[] }

declare global {
  namespace Express {
    interface Locals {
      /** Leaves the user's place to the next request; for a download, which has limits of its own. */
      leaveWork?: () => void
    }
  }
}

/** Requests of one user that are at work at once, and that wait. A browser with a few tabs sends less than both. */
const [mostAtWork, mostWaiting] = [2, 20]

/**
 * Lets at most 2 requests of a user work at once in this process; up to 20 more wait in the order of their arrival,
 * and the rest get 429. A user can then not keep the database from the others.
 */
export function limitConcurrency(): RequestHandler {
  const users = new Map<string, Work>()

  /** Gives the place of a request to the next one that waits. */
  function release(id: string, mine: Work): void {
    const following = mine.waiting.shift()
    if (following) return following()
    mine.atWork -= 1
    if (mine.atWork === 0) users.delete(id)
    return undefined
  }
  return async (req, res, next) => {
    const id = req.user?.id
    if (id === undefined) return next()
    const mine = users.get(id) ?? { atWork: 0, waiting: [] }
    users.set(id, mine)
    if (mine.atWork >= mostAtWork) {
      if (mine.waiting.length >= mostWaiting) throw new TooManyRequestsError('requests at once, user', 1)
      await new Promise<void>((resolve) => mine.waiting.push(resolve))
    } else mine.atWork += 1
    // The browser may have given up meanwhile.
    if (res.closed) return release(id, mine)
    let isAtWork = true
    const leave = (): void => {
      if (isAtWork) release(id, mine)
      isAtWork = false
    }
    res.locals.leaveWork = leave
    res.once('close', leave)
    return next()
  }
}
