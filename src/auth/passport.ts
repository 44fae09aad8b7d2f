import passport from 'passport'
import type { Database } from '../store/database.ts'
import { findUserWithGrants } from '../store/users.ts'

export type Passport = InstanceType<typeof passport.Passport>

/** An authenticator of its own for every app; the session keeps the user's id and nothing else. */
export const createPassport = (database: Database): Passport => {
  const authenticator = new passport.Passport()
  authenticator.serializeUser((user: Express.User, done) => done(null, user.id))
  authenticator.deserializeUser((id: string, done) => {
    findUserWithGrants(database.kysely, id).then(
      (user) => done(null, user ?? false),
      (error: unknown) => done(error),
    )
  })
  return authenticator
}
