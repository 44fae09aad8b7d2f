import type { Request } from 'express'

/**
 * Gives the session a new id and keeps what is in it: at a change of rights, so that an id which somebody else may know
 * is worth nothing afterwards (OWASP ASVS 5, 7.2.4). Saved when it resolves.
 */
export const renewSession = async (req: Request): Promise<void> => {
  const { cookie: _own, ...kept } = req.session
  await new Promise<void>((resolve, reject) => {
    req.session.regenerate((error?: unknown) => (error ? reject(error) : resolve()))
  })
  Object.assign(req.session, kept)
  await new Promise<void>((resolve, reject) => {
    req.session.save((error?: unknown) => (error ? reject(error) : resolve()))
  })
}
