import type { RequestHandler } from 'express'
import * as oidc from 'openid-client'
import { truncatedAddress } from '../http/truncated-address.ts'
import { endSession } from '../sessions/session.ts'
import { recordAudit } from '../store/audit.ts'
import type { SignInDeps } from './sign-in.ts'

/**
 * `POST /logout`: ends our session, then the eID provider's (OpenID Connect RP-Initiated Logout 1.0), which sends
 * the browser back to `/`. Where the provider has no logout or is not there, ours ends all the same. The library adds
 * client_id, which the provider needs where there is no hint; `state` would come back to a page that has no use for it.
 */
export function signOut({ eid, database, logger, tokens, portalUrl }: SignInDeps): RequestHandler {
  return async (req, res) => {
    const { encryptedIdToken } = req.session
    const userId = req.user?.id
    await endSession(req)
    const address = truncatedAddress(req.ip)
    await recordAudit(database.kysely, logger, { event: 'sign-out', userId, address })
    // Browsers keep pages for the back button even where nothing may be stored.
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
