import type { Request } from 'express'

/** A record's page that the user has opened; `base` is the section of its organisation, `path` is below it. */
type Viewed = { readonly base: string; readonly path: string; readonly name: string }

declare module 'express-session' {
  interface SessionData {
    /** The records that the user opened last in this session, newest first. */
    recentlyViewed?: readonly Viewed[]
  }
}

const mostKept = 12
const mostShown = 6

/** Remembers the open page of a record until the session ends, for the search's empty field. */
export function noteViewed(req: Request, name: string): void {
  const viewed = { base: req.baseUrl, path: req.path.slice(1), name }
  const isSame = ({ base, path }: Viewed): boolean => base === viewed.base && path === viewed.path
  const known = req.session.recentlyViewed ?? []
  if (known[0] && isSame(known[0])) return
  req.session.recentlyViewed = [viewed, ...known.filter((each) => !isSame(each))].slice(0, mostKept)
}

/** The organisation's records that the user opened last, newest first. */
export function recentlyViewed(req: Request): readonly Viewed[] {
  return (req.session.recentlyViewed ?? []).filter(({ base }) => base === req.baseUrl).slice(0, mostShown)
}
