import type { Request, RequestHandler, Response } from 'express'
import { safeReturnPath } from '../../auth/safe-return-path.ts'
import { renewSession } from '../../sessions/session.ts'
import { codeMinutes, findCode, type SentCode } from '../../store/email-codes.ts'
import { signedIn } from '../request-state.ts'
import { asking, codePage, formField, queryOfUnsent, unsentIn, type VerifyEmailDeps } from './verify-email.ts'

type CodeForm = {
  readonly returnTo: string
  readonly problem?: 'malformed' | 'wrong' | 'limit' | 'down'
  readonly minutes?: number
  /** Another code has just been sent. */
  readonly again?: boolean
}

/**
 * `GET /verify-email/code`: the form for the code, or why the last code is invalid, with a way to get a new one.
 * `?problem=`: what was wrong with the code that `checkCode` refused, or why `resendCode` sent none.
 */
export function showCodeForm(deps: VerifyEmailDeps): RequestHandler {
  return async (req, res) => {
    const returnTo = safeReturnPath(req.query['returnTo'])
    const code = await codeOf(deps, req)
    if (!code) return res.redirect(`/verify-email?returnTo=${encodeURIComponent(returnTo)}`)
    const problem = (['malformed', 'wrong'] as const).find((each) => each === req.query['problem'])
    const again = req.query['again'] === '1' && code.state === 'valid'
    return showForm(res, code, { returnTo, again, ...(problem ? { problem } : unsentIn(req, res)) })
  }
}

function codeOf({ database }: VerifyEmailDeps, req: Request): Promise<SentCode | undefined> {
  return findCode(database.kysely, signedIn(req).id)
}

function showForm(res: Response, { email, triesLeft, state }: SentCode, form: CodeForm): void {
  res.render('account/verify-email-code', {
    title: res.locals.language.t('verifyEmail.codeTitle'),
    email,
    triesLeft,
    state,
    validMinutes: codeMinutes,
    problem: undefined,
    minutes: 0,
    again: false,
    ...form,
  })
}

/**
 * `POST /verify-email/code`: the right code verifies the address, gives the session a new id and redirects to
 * `returnTo`. A refused one redirects to the form, so that the browser's back button does not send it again. Input other
 * than six digits does not count as a try.
 */
export function checkCode(deps: VerifyEmailDeps): RequestHandler {
  return async (req, res) => {
    const returnTo = safeReturnPath(formField(req, 'returnTo'))
    const typed = formField(req, 'code')
    const digits = typed.replace(/[\s-]+/g, '')
    const wellFormed = /^\d{6}$/.test(digits)
    const checked = wellFormed ? await deps.emailCodes.check(asking(req), digits) : undefined
    if (checked?.outcome === 'verified') {
      await renewSession(req)
      return res.redirect(303, returnTo)
    }
    const code = await codeOf(deps, req)
    // The same form was sent twice: `requireVerifiedEmail` decides whether the user may continue.
    if (!code) return res.redirect(303, returnTo)
    const problem = checked ? ('wrong' as const) : ('malformed' as const)
    return res.redirect(303, `${codePage(returnTo)}&problem=${problem}`)
  }
}

/** `POST /verify-email/resend`: sends another code to the same address. */
export function resendCode(deps: VerifyEmailDeps): RequestHandler {
  return async (req, res) => {
    const returnTo = safeReturnPath(formField(req, 'returnTo'))
    const code = await codeOf(deps, req)
    if (!code || !deps.emailCodes.ready)
      return res.redirect(303, `/verify-email?returnTo=${encodeURIComponent(returnTo)}`)
    const sending = await deps.emailCodes.send(asking(req), code.email, res.locals.language)
    if (sending.outcome === 'sent') return res.redirect(303, `${codePage(returnTo)}&again=1`)
    return res.redirect(303, `${codePage(returnTo)}${queryOfUnsent(sending)}`)
  }
}
