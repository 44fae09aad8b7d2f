import { createHash } from 'node:crypto'
import { parseCookie } from 'cookie'
import type { CookieOptions, Request, Response } from 'express'
import { z } from 'zod'
import { SignInExpiredError } from '../errors.ts'
import { createTokenEncryption } from './encrypted-token.ts'

/** A sign-in under way, until the eID provider redirects the browser back. `startedAt` in ms since the epoch. */
export type PendingSignIn = z.infer<typeof schema>

const schema = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  returnTo: z.string(),
  startedAt: z.number(),
})

/** The time that the user has at the eID. */
const longestMs = 15 * 60_000
/** The number of sign-ins that one browser may have pending, such as in abandoned tabs. */
const mostPending = 5
/** The length of all their cookies together; Node refuses requests with more than 16 kB of headers. */
const mostCharacters = 6000
/** How long after a success a browser may load the page again, because it has not got the answer with its cookie. */
const repeatableMs = 30_000
/** The number of used sign-ins that the process remembers, more than the rate limits allow in `longestMs`. */
const mostUsed = 50_000

/** The pending sign-ins of browsers. The browser keeps them, so that a visitor who starts one writes nothing here. */
export type PendingSignIns = {
  /** Adds one to the response's cookies; the oldest make room for it. */
  readonly remember: (req: Request, res: Response, pending: PendingSignIn) => Promise<void>
  /** The one with this `state` that this browser has started; undefined when it is too old or has been used up. */
  readonly find: (req: Request, state: string) => Promise<PendingSignIn | undefined>
  /**
   * Uses one up with `work`. A second request of the same browser, which loads the page again before it has seen the
   * answer, gets the same result. @throws what `work` throws; SignInExpiredError when it has been used before
   */
  readonly use: <T>(req: Request, res: Response, pending: PendingSignIn, work: () => Promise<T>) => Promise<T>
  /** Removes all from the browser, after it has signed in. */
  readonly forgetAll: (req: Request, res: Response) => void
}

/**
 * Keeps each pending sign-in in an encrypted cookie of its own, so that tabs that start at the same time do not
 * overwrite each other. The name has the time, and a digest of `state` to find it by.
 */
export function createPendingSignIns(config: {
  readonly sessionSecrets: readonly string[]
  readonly https: boolean
}): PendingSignIns {
  const tokens = createTokenEncryption(config.sessionSecrets, 'pending sign-ins')
  const prefix = `${config.https ? '__Host-' : ''}portal-sign-in-`
  const options: CookieOptions = { httpOnly: true, sameSite: 'lax', secure: config.https, path: '/' }
  const used = new Set<string>()
  const results = new Map<string, Promise<unknown>>()

  /** The cookies of pending sign-ins, newest first. */
  const cookiesOf = (req: Request): (readonly [name: string, value: string])[] =>
    Object.entries(parseCookie(req.headers.cookie ?? ''))
      .flatMap(([name, value = '']) => (name.startsWith(prefix) ? [[name, value] as const] : []))
      .toSorted(([a], [b]) => timeIn(b) - timeIn(a))
  const timeIn = (name: string) => parseInt(name.slice(prefix.length), 36) || 0
  const forget = (res: Response, name: string) => res.clearCookie(name, options)

  return {
    remember: async (req, res, pending) => {
      const name = `${prefix}${pending.startedAt.toString(36)}-${digestOf(pending.state)}`
      const value = await tokens.encrypt(JSON.stringify(pending))
      res.cookie(name, value, { ...options, maxAge: longestMs })
      let length = name.length + value.length
      for (const [index, [old, { length: valueLength }]] of cookiesOf(req).entries()) {
        length += old.length + valueLength
        if (index + 1 >= mostPending || length > mostCharacters) forget(res, old)
      }
    },
    find: async (req, state) => {
      const [, value] = cookiesOf(req).find(([name]) => name.endsWith(`-${digestOf(state)}`)) ?? []
      const json = value && (await tokens.decrypt(value))
      const pending = json ? schema.parse(JSON.parse(json)) : undefined
      if (pending?.state !== state || (used.has(state) && !results.has(state))) return undefined
      return Date.now() - pending.startedAt < longestMs ? pending : undefined
    },
    use: async <T>(req: Request, res: Response, { state }: PendingSignIn, work: () => Promise<T>) => {
      for (const [name] of cookiesOf(req)) if (name.endsWith(`-${digestOf(state)}`)) forget(res, name)
      const same = results.get(state)
      if (same) return same as Promise<T>
      if (used.has(state)) throw new SignInExpiredError('state already used')
      if (used.size >= mostUsed) used.clear()
      used.add(state)
      const result = work()
      results.set(state, result)
      const forgetResult = (): unknown => results.delete(state)
      result.then(() => setTimeout(forgetResult, repeatableMs).unref(), forgetResult)
      return result
    },
    forgetAll: (req, res) => {
      for (const [name] of cookiesOf(req)) forget(res, name)
    },
  }
}

/** Names a sign-in without its `state`. */
export function digestOf(state: string): string {
  return createHash('sha256').update(state).digest('hex').slice(0, 16)
}
