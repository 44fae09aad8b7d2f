import type { Request } from 'express'
import { SessionStore } from './session-store.ts'
import type { Device } from './device.ts'

/** How long a session may last: after its last use (OWASP ASVS 5, 7.3.1), and in all (7.3.2). */
export type SessionLimits = { readonly idleMs: number; readonly absoluteMs: number }

/** What a sign-in under way must remember until the eID provider sends the browser back. */
export type PendingSignIn = { readonly returnTo: string; readonly startedAt: number }

declare module 'express-session' {
  interface SessionData {
    /** When the user signed in, in ms since the epoch; absent before. */
    signedInAt?: number
    /** For the eID provider's logout (RP-initiated logout, id_token_hint). */
    encryptedIdToken?: string | undefined
    /** What the request that signs in writes to the row, and no later one reads from the session. */
    signIn?: {
      readonly userId: string
      readonly device: Device
      /** As truncatedAddress() gives it. */
      readonly address: string
      /** The eID provider's own session (`sid` of the ID token), which a back-channel logout may name. */
      readonly eidSessionId: string | undefined
    }
    /** Sign-ins under way in this browser, by their `state`. */
    pendingSignIns?: Record<string, PendingSignIn>
    /** What the eID library keeps of a sign-in under way: nonce and PKCE verifier, by its `state`. */
    [key: `signIn:${string}`]: unknown
  }
}

/** Saves now: a redirect reaches the browser before express-session has saved, and the next request may be faster. */
export function saveSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.save((error?: unknown) => (error ? reject(error) : resolve()))
  })
}

/** Ends the session in the database at once; what the request still needs gets a new one, with a new id. */
export function endSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.regenerate((error?: unknown) => (error ? reject(error) : resolve()))
  })
}

/**
 * Gives the session a new id when its user may do more. They stay signed in and open forms work; requests that
 * are under way with the old id, and a copy of it, are nobody's. Call it before the answer begins.
 */
export async function renewSession(req: Request): Promise<void> {
  const { sessionStore } = req
  if (!(sessionStore instanceof SessionStore)) throw new Error('this route is not behind sessions')
  await sessionStore.renew(req)
}
