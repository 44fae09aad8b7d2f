import type { Request } from 'express'
import type { UserWithGrants } from '../store/users.ts'
import { SessionStore } from './session-store.ts'
import type { Device } from './device.ts'

/** The lifetime of a session: after its last use (OWASP ASVS 5, 7.3.1), and in total (7.3.2). */
export type SessionLimits = { readonly idleMs: number; readonly absoluteMs: number }

/** The answer of the eID provider that began the session, as a digest, and the page that it led to. */
export type FinishedSignIn = { readonly answer: string; readonly returnTo: string }

declare module 'express-session' {
  interface SessionData {
    /** When the user signed in, in ms since the epoch; absent before. */
    signedInAt?: number
    /** For the eID provider's logout (RP-initiated logout, id_token_hint). */
    encryptedIdToken?: string | undefined
    /** A browser that loads the callback again goes to the same page. */
    finishedSignIn?: FinishedSignIn
    /** Written to the row by the request that signs in; later requests do not read it from the session. */
    signIn?: {
      readonly userId: string
      readonly device: Device
      /** As truncatedAddress() gives it. */
      readonly address: string
      /** The eID provider's session (`sid` of the ID token), which a back-channel logout may name. */
      readonly eidSessionId: string | undefined
    }
  }
}

/** Saves the session now, because the browser may follow a redirect before express-session has saved. */
export function saveSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.save((error?: unknown) => (error ? reject(error) : resolve()))
  })
}

/** Ends the session in the database at once; the request continues with a new one with a new id. */
export function endSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.regenerate((error?: unknown) => (error ? reject(error) : resolve()))
  })
}

/**
 * Gives the session a new id after a change of privileges. The user stays signed in and open forms work; the old id
 * becomes invalid, also for running requests. Call it before the response begins.
 */
export async function renewSession(req: Request): Promise<void> {
  await storeOf(req).renew(req)
}

/** The session's user and grants as the database has them now, for responses that take long; undefined after its end. */
export async function userNow(req: Request): Promise<UserWithGrants | undefined> {
  return storeOf(req).userNow(req)
}

function storeOf({ sessionStore }: Request): SessionStore {
  if (!(sessionStore instanceof SessionStore)) throw new Error('this route is not behind the sessions middleware')
  return sessionStore
}
