import type { RequestHandler } from 'express'

/** The requests of one user: those at work, how many of these are slow, and how to start those that wait. */
type Work = { atWork: number; slow: number; readonly waiting: (() => void)[] }

declare global {
  namespace Express {
    interface Locals {
      /** Leaves the user's place to the next request; for a download, which has limits of its own. */
      leaveWork?: () => void
    }
  }
}

/** A second request starts beside one that has been at work for so long, as when it waits for the API. */
const patienceMs = 500
const mostAtWork = 2

/**
 * Lets one request of a user work at a time in this process, and a second one beside a slow one; others wait in the
 * order of their arrival. Between requests that wait there is a pause as long as the last one took, up to half a second.
 * A user can then not keep the database or the process from the others, and one who opens some pages at once hardly
 * notices. `limitFloods` bounds how many wait.
 */
export function limitConcurrency(): RequestHandler {
  const users = new Map<string, Work>()

  const hasPlace = ({ atWork, slow }: Work): boolean => atWork === slow && atWork < mostAtWork

  /** Starts the next request that waits, if the user has a place. */
  function startNext(mine: Work): void {
    if (hasPlace(mine)) mine.waiting.shift()?.()
  }

  /** Takes a place. @returns leaves it, once */
  function start(id: string, mine: Work): () => void {
    mine.atWork += 1
    const startedAt = performance.now()
    let [isAtWork, isSlow] = [true, false]
    const patience = setTimeout(() => {
      isSlow = true
      mine.slow += 1
      startNext(mine)
    }, patienceMs)
    return () => {
      if (!isAtWork) return
      isAtWork = false
      clearTimeout(patience)
      mine.atWork -= 1
      if (isSlow) mine.slow -= 1
      if (mine.waiting.length > 0) setTimeout(startNext, Math.min(performance.now() - startedAt, patienceMs), mine)
      else if (mine.atWork === 0) users.delete(id)
    }
  }

  return async (req, res, next) => {
    const id = req.user?.id
    if (id === undefined) return next()
    const mine = users.get(id) ?? { atWork: 0, slow: 0, waiting: [] }
    users.set(id, mine)
    if (!hasPlace(mine) || mine.waiting.length > 0) await new Promise<void>((resolve) => mine.waiting.push(resolve))
    const leave = start(id, mine)
    // The browser may have given up meanwhile.
    if (res.closed) return leave()
    res.locals.leaveWork = leave
    res.once('close', leave)
    return next()
  }
}
