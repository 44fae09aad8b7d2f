import type { Request } from 'express'
import passport from 'passport'
import { userOfSession } from '../http/session.ts'

export type Passport = InstanceType<typeof passport.Passport>

/** An authenticator of its own for every app; the session keeps the user's id and nothing else, and its store reads the rest. */
export const createPassport = (): Passport => {
  const authenticator = new passport.Passport()
  authenticator.serializeUser((user: Express.User, done) => done(null, user.id))
  authenticator.deserializeUser(
    (req: Request, id: string, done: (error: null, user: Express.User | false) => void) => {
      const user = userOfSession(req)
      done(null, user?.id === id ? user : false)
    },
  )
  return authenticator
}
