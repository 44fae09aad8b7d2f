import type { Request, RequestHandler, Response } from 'express'
import type { Asking, Sending } from '../../auth/email-codes.ts'
import { safeReturnPath } from '../../auth/safe-return-path.ts'
import { emailAddress } from '../../domain/email-address.ts'
import { truncatedAddress } from '../../http/truncated-address.ts'
import { findCode } from '../../store/email-codes.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'

export type VerifyEmailDeps = Pick<PageDeps, 'database' | 'emailCodes'>

/** A field of the sent form; '' when it is missing, repeated or too long. */
export function formField(req: Request, name: string): string {
  const value = (req.body as Readonly<Record<string, unknown>> | undefined)?.[name]
  return typeof value === 'string' && value.length <= 500 ? value : ''
}

export function asking(req: Request): Asking {
  const { id: userId, eidEmail } = signedIn(req)
  return { userId, eidEmail, from: truncatedAddress(req.ip) }
}

/** The path of the code form, with the page to return to. */
export function codePage(returnTo: string): string {
  return `/verify-email/code?returnTo=${encodeURIComponent(returnTo)}`
}

/** Sets the status and Retry-After of the response when the mail was not sent. */
export function answerUnsent(res: Response, sending: Exclude<Sending, { outcome: 'sent' }>): void {
  res.status(sending.outcome === 'limit' ? 429 : 503)
  if (sending.outcome === 'limit') res.set('Retry-After', String(sending.retryAfterSeconds))
}

/** Whole minutes until the next mail may be sent; 0 when waiting does not help. */
export function minutesToWait(sending: Sending): number {
  return sending.outcome === 'limit' ? Math.ceil(sending.retryAfterSeconds / 60) : 0
}

type AddressForm = {
  readonly email: string
  readonly returnTo: string
  readonly problem?: 'invalid' | 'limit' | 'down'
  readonly minutes?: number
  /** The address of a code that is still valid. */
  readonly waiting?: string | undefined
}

/** `GET /verify-email`: asks for the address; filled in with the one a code went to, else the eID's. */
export function showVerifyEmail({ emailCodes, database }: VerifyEmailDeps): RequestHandler {
  return async (req, res) => {
    const user = signedIn(req)
    const returnTo = safeReturnPath(req.query['returnTo'])
    if (!emailCodes.ready) return showNoMail(res, returnTo)
    const code = await findCode(database.kysely, user.id)
    const claimed = emailAddress(user.eidEmail)
    return showForm(req, res, {
      email: code?.email ?? (claimed === user.email ? '' : (claimed ?? '')),
      returnTo,
      waiting: code?.state === 'valid' ? code.email : undefined,
    })
  }
}

function showNoMail(res: Response, returnTo: string): void {
  return res.render('account/verify-email-off', {
    title: res.locals.language.t('verifyEmail.offTitle'),
    returnTo,
  })
}

function showForm(req: Request, res: Response, form: AddressForm): void {
  const { t } = res.locals.language
  const current = signedIn(req).email
  res.render('account/verify-email', {
    title: t(current ? 'verifyEmail.changeTitle' : 'verifyEmail.title'),
    current,
    problem: undefined,
    minutes: 0,
    waiting: undefined,
    ...form,
  })
}

/** `POST /verify-email`: mails a code to the address, even if another user has it, and asks for the code. */
export function requestCode({ emailCodes, database }: VerifyEmailDeps): RequestHandler {
  return async (req, res) => {
    const returnTo = safeReturnPath(formField(req, 'returnTo'))
    const typed = formField(req, 'email')
    if (!emailCodes.ready) return showNoMail(res.status(503), returnTo)
    const email = emailAddress(typed)
    if (email === undefined) return showForm(req, res.status(400), { email: typed, returnTo, problem: 'invalid' })
    const sending = await emailCodes.send(asking(req), email, res.locals.language)
    if (sending.outcome === 'sent') return res.redirect(303, codePage(returnTo))
    answerUnsent(res, sending)
    const code = await findCode(database.kysely, signedIn(req).id)
    return showForm(req, res, {
      email: typed,
      returnTo,
      problem: sending.outcome,
      minutes: minutesToWait(sending),
      waiting: code?.state === 'valid' ? code.email : undefined,
    })
  }
}
