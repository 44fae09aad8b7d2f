import type { RequestHandler } from 'express'
import * as oidc from 'openid-client'
import { truncatedAddress } from '../http/truncated-address.ts'
import { noteSignOut } from '../sessions/last-session.ts'
import { endSession } from '../sessions/session.ts'
import { recordAudit } from '../store/audit.ts'
import type { SignInDeps } from './sign-in.ts'

/**
 * `POST /logout`: ends our session, then redirects to the eID provider's logout (OpenID Connect RP-Initiated Logout
 * 1.0), which redirects back to `/`. Without a logout endpoint, or before discovery has succeeded, only our session
 * ends. The library adds client_id, which the provider needs when there is no hint; `state` is left out, as `/` does
 * not use it.
 */
export function signOut({ eid, database, logger, tokens, portalUrl }: SignInDeps): RequestHandler {
  return async (req, res) => {
    const { encryptedIdToken } = req.session
    const userId = req.user?.id
    await endSession(req)
    const address = truncatedAddress(req.ip)
    await recordAudit(database.kysely, logger, { event: 'sign-out', userId, address })
    // The eID redirects back to a fixed URL, so a cookie tells the sign-in page.
    noteSignOut(res, portalUrl.startsWith('https:'))
    // Browsers keep pages for the back button even with no-store.
    res.set('Clear-Site-Data', '"cache"')
    const configuration = eid.known()
    if (!configuration?.serverMetadata().end_session_endpoint) return res.redirect('/')
    const hint = encryptedIdToken === undefined ? undefined : await tokens.decrypt(encryptedIdToken)
    const parameters = {
      post_logout_redirect_uri: `${portalUrl}/`,
      ...(hint ? { id_token_hint: hint } : {}),
    }
    return res.redirect(oidc.buildEndSessionUrl(configuration, parameters).href)
  }
}
