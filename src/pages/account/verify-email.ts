import type { Request, RequestHandler, Response } from 'express'
import type { Asking, Sending } from '../../auth/email-codes.ts'
import { safeReturnPath } from '../../auth/safe-return-path.ts'
import { emailAddress } from '../../domain/email-address.ts'
import { truncatedAddress } from '../../http/truncated-address.ts'
import { saveSession } from '../../sessions/session.ts'
import { findCode } from '../../store/email-codes.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'

declare module 'express-session' {
  interface SessionData {
    /** The address that the last form of this session was refused with; a URL would leak it. */
    typedEmail?: string
  }
}

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

/** Why no mail was sent, as the query of the page that the form redirects to. */
export function queryOfUnsent(sending: Exclude<Sending, { outcome: 'sent' }>): string {
  const wait = sending.outcome === 'limit' ? `&wait=${Math.ceil(sending.retryAfterSeconds / 60)}` : ''
  return `&problem=${sending.outcome}${wait}`
}

/**
 * Why no mail was sent, from the query, with the minutes to wait; sets the status and Retry-After of the response.
 * Undefined without such a problem.
 */
export function unsentIn(
  { query }: Request,
  res: Response,
): { readonly problem: 'limit' | 'down'; readonly minutes: number } | undefined {
  const problem = (['limit', 'down'] as const).find((each) => each === query['problem'])
  if (!problem) return undefined
  const minutes = typeof query['wait'] === 'string' && /^\d{1,2}$/.test(query['wait']) ? Number(query['wait']) : 0
  res.status(problem === 'limit' ? 429 : 503)
  if (problem === 'limit') res.set('Retry-After', String(minutes * 60))
  return { problem, minutes }
}

type AddressForm = {
  readonly email: string
  readonly returnTo: string
  readonly problem?: 'invalid' | 'limit' | 'down'
  readonly minutes?: number
  /** The address of a code that is still valid. */
  readonly waiting?: string | undefined
}

/**
 * `GET /verify-email`: asks for the address; filled in with the one a code went to, else the eID's. `?problem=`: why the
 * address that the user typed was refused; it is still there.
 */
export function showVerifyEmail({ emailCodes, database }: VerifyEmailDeps): RequestHandler {
  return async (req, res) => {
    const user = signedIn(req)
    const returnTo = safeReturnPath(req.query['returnTo'])
    if (!emailCodes.ready) return showNoMail(res, returnTo)
    const code = await findCode(database.kysely, user.id)
    const claimed = emailAddress(user.eidEmail)
    const refused = req.query['problem'] === 'invalid' ? { problem: 'invalid' as const } : unsentIn(req, res)
    if (refused?.problem === 'invalid') res.status(400)
    const typed = refused && req.session.typedEmail
    return showForm(req, res, {
      email: typed ?? code?.email ?? (claimed === user.email ? '' : (claimed ?? '')),
      returnTo,
      waiting: code?.state === 'valid' ? code.email : undefined,
      ...refused,
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

/**
 * `POST /verify-email`: mails a code to the address, even if another user has it, and redirects to the form for the code;
 * without a mail, back to the form for the address, so that the browser's back button does not send it again.
 */
export function requestCode({ emailCodes }: VerifyEmailDeps): RequestHandler {
  return async (req, res) => {
    const returnTo = safeReturnPath(formField(req, 'returnTo'))
    const form = `/verify-email?returnTo=${encodeURIComponent(returnTo)}`
    if (!emailCodes.ready) return res.redirect(303, form)
    const typed = formField(req, 'email')
    const email = emailAddress(typed)
    const sending = email === undefined ? undefined : await emailCodes.send(asking(req), email, res.locals.language)
    if (sending?.outcome === 'sent') {
      delete req.session.typedEmail
      return res.redirect(303, codePage(returnTo))
    }
    req.session.typedEmail = typed
    await saveSession(req)
    return res.redirect(303, `${form}${sending ? queryOfUnsent(sending) : '&problem=invalid'}`)
  }
}
