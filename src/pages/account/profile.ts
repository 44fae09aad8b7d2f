import type { RequestHandler } from 'express'
import { organisationsOf } from '../../auth/access.ts'
import { emailAddress } from '../../email-address.ts'
import { signedIn } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'
import { choiceOf } from './select.ts'

/**
 * `GET /profile`: name, e-mail, what the user may act as, and at the bottom the user ID. Before an address is verified
 * it names no organisation.
 */
export const showProfile =
  ({ organisations }: Pick<PageDeps, 'organisations'>): RequestHandler =>
  (req, res) => {
    const user = signedIn(req)
    res.render('account/profile', {
      title: res.locals.language.t('profile.title'),
      // Told only where it is not the one in use.
      eidEmail: emailAddress(user.eidEmail) === user.email ? null : user.eidEmail,
      choices: user.email ? organisationsOf(user, organisations).map((choice) => choiceOf(choice, res)) : [],
      sayRoles: true,
    })
  }
