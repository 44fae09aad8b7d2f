import type { Request } from 'express'

/** So many requests in so many seconds. */
export type Limit = { readonly most: number; readonly seconds: number }

/** What is counted together. Generous for an address, because a whole company may come from one. */
export type Rule = {
  readonly name: string
  /** A path, or how paths end. */
  readonly path: string | RegExp
  readonly method?: 'GET' | 'POST'
  readonly address: Limit
  readonly user?: Limit
}

const minute = 60

const signIns = { address: { most: 300, seconds: 5 * minute }, user: { most: 60, seconds: 5 * minute } }
const codes = { address: { most: 100, seconds: 10 * minute }, user: { most: 20, seconds: 10 * minute } }

/** Every limit of the portal. Each sign-in costs a session row and calls to the eID provider; a code entry is a guess. */
export const rules: readonly Rule[] = [
  { name: 'login', path: '/login', ...signIns },
  { name: 'callback', path: '/auth/callback', ...signIns },
  // One address for everybody: the provider's.
  { name: 'backchannel', path: '/auth/backchannel-logout', address: { most: 1200, seconds: minute } },
  { name: 'verify', path: '/verify-email', method: 'POST', ...codes },
  { name: 'resend', path: '/verify-email/resend', method: 'POST', ...codes },
  { name: 'code', path: '/verify-email/code', method: 'POST', ...codes },
  // A whole list, whatever its length.
  {
    name: 'export',
    path: /\.(csv|xlsx)$/,
    address: { most: 300, seconds: 5 * minute },
    user: { most: 60, seconds: 5 * minute },
  },
]

/** Every request of a signed-in user, in each instance. */
export const signedIn = {
  address: { most: 6000, seconds: minute },
  user: { most: 600, seconds: minute },
} as const

/** Whether the request is one that the rule counts. */
export function matches({ path, method }: Rule, req: Request): boolean {
  const asked = req.path.toLowerCase()
  const isPath = path instanceof RegExp ? path.test(asked) : [path, `${path}/`].includes(asked)
  return isPath && (method === undefined || req.method === method)
}
