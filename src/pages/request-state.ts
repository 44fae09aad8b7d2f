import type { Request, Response } from 'express'
import type { Organisation } from '../domain/organisation.ts'
import type { Lists } from '../sync/freshness.ts'

/** The signed-in user. Only routes behind `requireUser` may call this. */
export function signedIn(req: Request): Express.User {
  if (!req.user) throw new Error('this route is not behind requireUser')
  return req.user
}

/** The organisation that the user acts as. Only routes behind `actAs` may call this. */
export function actingAs(res: Response): Organisation {
  const { organisation } = res.locals
  if (!organisation) throw new Error('this route is not behind actAs')
  return organisation
}

/** How fresh the organisation's lists are. Only routes behind `withLists` may call this. */
export function listsHere(res: Response): Lists {
  const { lists } = res.locals
  if (!lists) throw new Error('this route is not behind withLists')
  return lists
}

/** A parameter of the route's path; '' when the route does not have it. */
export function pathParameter({ params }: Request, name: string): string {
  const value = params[name]
  return typeof value === 'string' ? value : ''
}
