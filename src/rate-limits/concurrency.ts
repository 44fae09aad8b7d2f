import type { RequestHandler } from 'express'
import { TooManyRequestsError } from '../errors.ts'

/** The requests of one user: those at work, when the last of them started, and how to start those that wait. */
type Work = { atWork: number; startedAt: number; readonly waiting: (() => void)[] }

declare global {
  namespace Express {
    interface Locals {
      /** Leaves the user's place to the next request; for a download, which has limits of its own. */
      leaveWork?: () => void
    }
  }
}

/** Requests of one user that wait. A browser with a few tabs sends less. */
const mostWaiting = 20
/** A second request starts beside one that has been at work for so long, as when it waits for the API. */
const patienceMs = 500
const mostAtWork = 2

/**
 * Lets one request of a user work at a time in this process, and a second one beside a slow one. Up to 20 more wait in
 * the order of their arrival, and the rest get 429. Between requests that wait there is a pause as long as the last one
 * took, up to half a second. A user can then not keep the database or the process from the others, and one who opens
 * some pages at once hardly notices.
 */
export function limitConcurrency(): RequestHandler {
  const users = new Map<string, Work>()

  /** Starts the next request that waits, if the user has a place. */
  function startNext(mine: Work): void {
    const isPlace = mine.atWork === 0 || (mine.atWork < mostAtWork && performance.now() - mine.startedAt >= patienceMs)
    if (isPlace) mine.waiting.shift()?.()
  }

  /** Takes a place. @returns leaves it, once */
  function start(id: string, mine: Work): () => void {
    mine.atWork += 1
    mine.startedAt = performance.now()
    const { startedAt } = mine
    const patience = setTimeout(startNext, patienceMs, mine)
    let isAtWork = true
    return () => {
      if (!isAtWork) return
      isAtWork = false
      clearTimeout(patience)
      mine.atWork -= 1
      if (mine.waiting.length > 0) setTimeout(startNext, Math.min(performance.now() - startedAt, patienceMs), mine)
      else if (mine.atWork === 0) users.delete(id)
    }
  }

  return async (req, res, next) => {
    const id = req.user?.id
    if (id === undefined) return next()
    const mine = users.get(id) ?? { atWork: 0, startedAt: 0, waiting: [] }
    users.set(id, mine)
    if (mine.atWork > 0 || mine.waiting.length > 0) {
      if (mine.waiting.length >= mostWaiting) throw new TooManyRequestsError('requests at once, user', 1)
      await new Promise<void>((resolve) => mine.waiting.push(resolve))
    }
    const leave = start(id, mine)
    // The browser may have given up meanwhile.
    if (res.closed) return leave()
    res.locals.leaveWork = leave
    res.once('close', leave)
    return next()
  }
}
