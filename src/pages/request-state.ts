import type { Request, Response } from 'express'
import type { Organisation } from '../domain/organisation.ts'
import type { Lists } from '../sync/freshness.ts'

/** The user that the gate let through. Only routes behind `requireUser` may call this. */
export function signedIn(req: Request): Express.User {
  if (!req.user) throw new Error('this route is not behind requireUser')
  return req.user
}

/** The organisation that the gate has put there. Only routes behind `actAs` may call this. */
export function actingAs(res: Response): Organisation {
  const { organisation } = res.locals
  if (!organisation) throw new Error('this route is not behind actAs')
  return organisation
}

/** How fresh the organisation's lists are, as `withLists` has put it there. */
export function listsHere(res: Response): Lists {
  const { lists } = res.locals
  if (!lists) throw new Error('this route is not behind withLists')
  return lists
}

/** A named part of the route's path; '' where the route has none of that name. */
export function pathParameter({ params }: Request, name: string): string {
  const value = params[name]
  return typeof value === 'string' ? value : ''
}
