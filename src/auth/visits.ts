import type { RequestHandler } from 'express'
import { organisationKey } from '../domain/organisation.ts'
import type { Logger } from '../logger.ts'
import type { Database } from '../store/database.ts'
import { noteVisit, visitWriteMs } from '../store/visits.ts'

/** Visits remembered before the map is cleared; another write does no harm. */
const mostRemembered = 10_000

/** Notes who visits an organisation, after a successful page, at most once in `visitWriteMs` each. */
export function noteVisits({ kysely }: Pick<Database, 'kysely'>, logger: Logger): RequestHandler {
  const noted = new Map<string, number>()
  return (req, res, next) => {
    res.once('close', () => {
      const { organisation } = res.locals
      if (res.statusCode !== 200 || !res.headersSent || !req.user || !organisation) return
      const { id: userId } = req.user
      const key = `${userId} ${organisationKey(organisation)}`
      const now = performance.now()
      if (now - (noted.get(key) ?? -Infinity) < visitWriteMs) return
      if (noted.size >= mostRemembered) noted.clear()
      noted.set(key, now)
      noteVisit(kysely, organisation, userId).catch((error: unknown) => {
        noted.delete(key)
        logger.warn({ err: error }, 'visit not noted: the next page view tries again')
      })
    })
    next()
  }
}
