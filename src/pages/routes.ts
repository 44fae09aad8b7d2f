import { auditRefusals } from '../auth/audit-refusals.ts'
import { backchannelLogout } from '../auth/backchannel-logout.ts'
import { showJwks } from '../auth/client-keys.ts'
import { signOut } from '../auth/sign-out.ts'
import { finishSignIn, startSignIn } from '../auth/sign-in.ts'
import { chooseAppearance } from './account/appearance.ts'
import { showLanguage } from './account/language.ts'
import { saveNotices } from './account/notices.ts'
import { showProfile } from './account/profile.ts'
import { revokeSessions } from './account/revoke-sessions.ts'
import { showSelect } from './account/select.ts'
import { showSessionTimeout, staySignedIn } from './account/session-timeout.ts'
import { showSignIn } from './account/sign-in.ts'
import { showUnsubscribe, unsubscribe } from './account/unsubscribe.ts'
import { checkCode, resendCode, showCodeForm } from './account/verify-email-code.ts'
import { requestCode, showVerifyEmail } from './account/verify-email.ts'
import { activitySheet } from './activity/export.ts'
import { showActivity } from './activity/show.ts'
import type { ListResource } from '../store/sync-state.ts'
import type { Lists } from '../sync/freshness.ts'
import { createDownloads } from './lists/download.ts'
import { listRoutes } from './lists/list.ts'
import { stepThrough } from './lists/step-through.ts'
import { showMerchantLanding } from './landing/merchant.ts'
import { showPartnerLanding } from './landing/partner.ts'
import { showMerchant, showOwnMerchant } from './merchants/detail.ts'
import { merchantCount, merchantList } from './merchants/list.ts'
import type { PageDeps } from './deps.ts'
import type { OrganisationRoute, OrganisationSection, Section } from './mount.ts'
import { pricePackageList } from './price-packages/list.ts'
import { showProductOrder } from './product-orders/detail.ts'
import { orderCount } from './product-orders/facets.ts'
import { productOrderList } from './product-orders/list.ts'
import { showSearch } from './search/show.ts'
import { showSalesUnit } from './sales-units/detail.ts'
import { partnerSalesUnitList, salesUnitList } from './sales-units/list.ts'
import { templateList } from './templates/list.ts'
import { webhookList } from './webhooks/list.ts'
import { showWhy } from './why/show.ts'

/** The number of rows of a list, if it has been read. */
function totalOf(resource: ListResource): (lists: Lists) => number | undefined {
  return (lists) => lists.get(resource)?.total ?? undefined
}

/** The site map: every URL of the portal and the menus. Anything else is a 404. */
export function siteMap(deps: PageDeps) {
  const { portalUrl, userIdSecret, sessionLimits } = deps.config
  const signInDeps = { ...deps, portalUrl, userIdSecret, sessionLimits }
  const lists = { ...deps, downloadRoutes: createDownloads(deps) }
  const salesUnits = {
    path: '/sales-units',
    role: 'viewer',
    menu: { key: 'salesUnits', count: totalOf('salesUnits') },
  } as const
  const webhooks = listRoutes(
    lists,
    {
      path: '/developers/webhooks',
      role: 'developer',
      menu: { key: 'webhooks', group: 'developers', count: totalOf('webhooks') },
    },
    webhookList,
  )
  const salesUnit = [stepThrough(deps, '/sales-units', salesUnitList), showSalesUnit(deps)]
  const productOrder = [stepThrough(deps, '/product-orders', productOrderList), showProductOrder(deps)]
  const merchantPage = [stepThrough(deps, '/merchants', merchantList), showMerchant(deps)]
  const activity: OrganisationRoute[] = [
    { path: '/activity', role: 'viewer', get: showActivity(deps), menu: { key: 'activity' } },
    ...lists.downloadRoutes({ path: '/activity', role: 'viewer' }, activitySheet(deps)),
  ]
  const why = { path: '/why', role: 'viewer', get: showWhy(deps), menu: { key: 'why', group: 'help' } } as const
  const orderMenu = { key: 'productOrders', count: orderCount }

  /** For the eID provider's server: the only routes without session and CSRF token. */
  const servers: Section = {
    prefix: '',
    routes: [{ path: '/auth/backchannel-logout', post: backchannelLogout(signInDeps) }],
  }

  /** Links in mails, without session and CSRF token: the token in the path is the proof. */
  const mailLinks: Section = {
    prefix: '',
    routes: [{ path: '/unsubscribe/:token', get: showUnsubscribe(deps), post: unsubscribe(deps) }],
  }

  /** For signed-in users with a verified e-mail address. */
  const user: Section = {
    prefix: '',
    routes: [
      { path: '/select', get: showSelect(deps) },
      { path: '/profile/notices', post: saveNotices(deps) },
    ],
  }

  /** For users with a grant for the partner, in this role or a higher one. */
  const partner: OrganisationSection = {
    prefix: '/partners/:partnerId',
    routes: [
      { path: '/', role: 'viewer', get: showPartnerLanding(deps), menu: { key: 'home' } },
      { path: '/search', role: 'viewer', get: showSearch(deps) },
      why,
      ...listRoutes(lists, { path: '/product-orders', role: 'viewer', menu: orderMenu }, productOrderList),
      { path: '/product-orders/:productOrderId', role: 'viewer', get: productOrder },
      ...listRoutes(
        lists,
        { path: '/merchants', role: 'viewer', menu: { key: 'merchants', count: merchantCount } },
        merchantList,
      ),
      { path: '/merchants/:scheme/:id', role: 'viewer', get: merchantPage },
      ...listRoutes(lists, salesUnits, partnerSalesUnitList),
      { path: '/sales-units/:msn', role: 'viewer', get: salesUnit },
      ...listRoutes(
        lists,
        { path: '/templates', role: 'viewer', menu: { key: 'templates', count: totalOf('templates') } },
        templateList,
      ),
      ...listRoutes(
        lists,
        { path: '/price-packages', role: 'viewer', menu: { key: 'pricePackages', count: totalOf('pricePackages') } },
        pricePackageList,
      ),
      ...activity,
      ...webhooks,
    ],
  }

  /** For users with a grant for the merchant, in this role or a higher one. */
  const merchant: OrganisationSection = {
    prefix: '/merchants/:scheme/:id',
    routes: [
      { path: '/', role: 'viewer', get: showMerchantLanding(deps), menu: { key: 'home' } },
      { path: '/search', role: 'viewer', get: showSearch(deps) },
      why,
      { path: '/details', role: 'viewer', get: showOwnMerchant(deps), menu: { key: 'merchantDetails' } },
      ...listRoutes(lists, salesUnits, salesUnitList),
      { path: '/sales-units/:msn', role: 'viewer', get: salesUnit },
      ...activity,
      ...webhooks,
    ],
  }

  /** For signed-in users, also before their e-mail address is verified; nothing here shows an organisation. */
  const account: Section = {
    prefix: '',
    routes: [
      { path: '/logout', post: signOut(signInDeps), navigationOnly: true },
      { path: '/profile', get: showProfile(deps, [partner, merchant]) },
      { path: '/appearance', post: chooseAppearance(deps) },
      { path: '/verify-email', get: showVerifyEmail(deps), post: requestCode(deps), navigationOnly: true },
      { path: '/verify-email/code', get: showCodeForm(deps), post: checkCode(deps), navigationOnly: true },
      { path: '/verify-email/resend', post: resendCode(deps), navigationOnly: true },
      { path: '/profile/sessions/revoke', post: revokeSessions(signInDeps), navigationOnly: true },
      { path: '/session/ending', get: showSessionTimeout },
      { path: '/session/stay', post: staySignedIn },
    ],
  }

  const signInPage = showSignIn(deps, [partner, merchant])
  /** Public. */
  const anyone: Section = {
    prefix: '',
    routes: [
      { path: '/', get: signInPage },
      { path: '/register', get: signInPage },
      { path: '/login', get: auditRefusals(signInDeps, startSignIn(signInDeps)), navigationOnly: true },
      { path: '/auth/callback', get: auditRefusals(signInDeps, finishSignIn(signInDeps)), navigationOnly: true },
      { path: '/auth/jwks.json', get: showJwks(deps.eid) },
      { path: '/language/:code', get: showLanguage(deps) },
    ],
  }

  return { servers, mailLinks, anyone, account, user, partner, merchant }
}
