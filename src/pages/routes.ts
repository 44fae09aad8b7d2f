import { backchannelLogout } from '../auth/backchannel-logout.ts'
import { signOut } from '../auth/session-of-user.ts'
import { finishSignIn, startSignIn } from '../auth/sign-in.ts'
import { showLanguage } from './account/language.ts'
import { showProfile } from './account/profile.ts'
import { revokeSessions } from './account/revoke-sessions.ts'
import { showSelect } from './account/select.ts'
import { showSessionEnding, staySignedIn } from './account/session-ending.ts'
import { showSignIn } from './account/sign-in.ts'
import { showMerchantLanding } from './landing/merchant.ts'
import { showPartnerLanding } from './landing/partner.ts'
import { showMerchant, showOwnMerchant } from './merchants/detail.ts'
import type { PageDeps } from './deps.ts'
import type { Section } from './mount.ts'
import { listPricePackages } from './price-packages/list.ts'
import { showProductOrder } from './product-orders/detail.ts'
import { currentOrderCount, listProductOrders } from './product-orders/list.ts'
import { showSalesUnit } from './sales-units/detail.ts'
import { listSalesUnits, salesUnitCount } from './sales-units/list.ts'
import { listTemplates } from './templates/list.ts'
import { listWebhooks } from './webhooks/list.ts'

/** The site map: one line a URL. The menus come from here. What is not here is a 404. */
export const siteMap = (deps: PageDeps) => {
  const signInDeps = { ...deps, portalUrl: deps.config.portalUrl }
  const webhooks = { key: 'webhooks', group: 'developers' }
  const salesUnits = { key: 'salesUnits', count: salesUnitCount }

  /** The eID provider, without a browser: the one place without session and CSRF token. */
  const servers: Section = {
    prefix: '',
    routes: [{ path: '/auth/backchannel-logout', post: backchannelLogout(signInDeps) }],
  }

  /** Everybody may see these. */
  const anyone: Section = {
    prefix: '',
    routes: [
      { path: '/', get: showSignIn },
      { path: '/register', get: showSignIn },
      { path: '/login', get: startSignIn(signInDeps) },
      { path: '/auth/callback', get: finishSignIn(signInDeps) },
      { path: '/language/:code', get: showLanguage(deps) },
    ],
  }

  /** Whoever is signed in. */
  const user: Section = {
    prefix: '',
    routes: [
      { path: '/logout', post: signOut(signInDeps) },
      { path: '/select', get: showSelect(deps) },
      { path: '/profile', get: showProfile(deps) },
      { path: '/profile/sessions/revoke', post: revokeSessions(signInDeps) },
      { path: '/session/ending', get: showSessionEnding(deps) },
      { path: '/session/stay', post: staySignedIn(deps) },
    ],
  }

  /** Whoever has a grant for the partner. */
  const partner: Section = {
    prefix: '/partners/:partnerId',
    routes: [
      { path: '/', get: showPartnerLanding(deps), menu: { key: 'home' } },
      {
        path: '/product-orders',
        get: listProductOrders(deps),
        menu: { key: 'productOrders', count: currentOrderCount },
      },
      { path: '/product-orders/:productOrderId', get: showProductOrder(deps) },
      { path: '/templates', get: listTemplates(deps), menu: { key: 'templates' } },
      { path: '/sales-units', get: listSalesUnits(deps), menu: salesUnits },
      { path: '/sales-units/:msn', get: showSalesUnit(deps) },
      { path: '/merchants/:scheme/:id', get: showMerchant(deps) },
      { path: '/price-packages', get: listPricePackages(deps), menu: { key: 'pricePackages' } },
      { path: '/developers/webhooks', get: listWebhooks(deps), menu: webhooks },
    ],
  }

  /** Whoever has a grant for the merchant. */
  const merchant: Section = {
    prefix: '/merchants/:scheme/:id',
    routes: [
      { path: '/', get: showMerchantLanding(deps), menu: { key: 'home' } },
      { path: '/details', get: showOwnMerchant(deps), menu: { key: 'merchantDetails' } },
      { path: '/sales-units', get: listSalesUnits(deps), menu: salesUnits },
      { path: '/sales-units/:msn', get: showSalesUnit(deps) },
      { path: '/developers/webhooks', get: listWebhooks(deps), menu: webhooks },
    ],
  }

  return { servers, anyone, user, partner, merchant }
}
