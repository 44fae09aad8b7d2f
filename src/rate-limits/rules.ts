import type { Request } from 'express'

/** A maximum of requests per period. */
export type Limit = { readonly most: number; readonly seconds: number }

/**
 * Requests that are counted together. Limits per address (IPv4, or IPv6 by /64) are generous, because a whole company
 * may share one. An IPv6 /48 may send four times as many, because one customer of a provider has up to 65,536 /64s.
 */
export type Rule = {
  readonly name: string
  /** A path of the site map. Downloads have limits of their own, in export-limits.ts. */
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly address: Limit
  readonly user?: Limit
  /** All clients of an instance together. */
  readonly all?: Limit
}

/** The limit of an IPv6 /48. */
export function networkLimit({ address }: Rule): Limit {
  return { ...address, most: 4 * address.most }
}

const minute = 60

// In all 20 a second: twenty full offices, and not too much for an eID provider.
const signIns = {
  address: { most: 300, seconds: 5 * minute },
  user: { most: 60, seconds: 5 * minute },
  all: { most: 6000, seconds: 5 * minute },
}
const codes = { address: { most: 100, seconds: 10 * minute }, user: { most: 20, seconds: 10 * minute } }

/**
 * All limits of the portal. Each sign-in costs calls to the eID provider; a code entry is a guess.
 */
export const rules: readonly Rule[] = [
  { name: 'login', path: '/login', ...signIns },
  { name: 'callback', path: '/auth/callback', ...signIns },
  // The provider has one address for all users.
  { name: 'backchannel', path: '/auth/backchannel-logout', address: { most: 1200, seconds: minute } },
  { name: 'verify', path: '/verify-email', method: 'POST', ...codes },
  { name: 'resend', path: '/verify-email/resend', method: 'POST', ...codes },
  { name: 'code', path: '/verify-email/code', method: 'POST', ...codes },
]

/** The limits of all requests of a signed-in user, per instance. */
export const signedIn = {
  address: { most: 6000, seconds: minute },
  user: { most: 600, seconds: minute },
} as const

/** True when the rule counts the request: in any spelling of the path that Express routes to the same handler. */
export function matches({ path, method }: Rule, req: Request): boolean {
  return [path, `${path}/`].includes(req.path.toLowerCase()) && (method === undefined || req.method === method)
}
