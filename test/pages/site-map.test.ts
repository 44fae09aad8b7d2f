import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPeople, type DemoPerson } from '../../demo/people.ts'
import { type OrganisationReference, organisationKey } from '../../src/domain/organisation.ts'
import type { Role } from '../../src/domain/role.ts'
import { createUnsubscribeTokens } from '../../src/notices/unsubscribe-token.ts'
import type { Browser } from '../support/browser.ts'
import { everyRoute } from '../support/every-route.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { linesOf } from '../support/page-content.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())

/** Every page of an organisation that a role may see, with an existing record for each. */
function pagesFor(organisation: OrganisationReference, role: Role): string[] {
  return pagesOf(organisation).filter((path) => role === 'developer' || !path.includes('/developers/'))
}

function pagesOf(organisation: OrganisationReference): string[] {
  if (organisation.kind === 'merchant') {
    const base = `/merchants/${organisation.scheme}/${organisation.id}`
    const msn = test.world.salesUnits.find(
      ({ active, body }) =>
        active &&
        body.businessIdentifier.id === organisation.id &&
        body.businessIdentifier.scheme === organisation.scheme,
    )?.body.msn
    return [
      '',
      '/search',
      '/why',
      '/details',
      '/sales-units',
      `/sales-units/${msn}`,
      '/activity',
      '/developers/webhooks',
    ].map((path) => base + path)
  }
  const base = `/partners/${organisation.id}`
  const unit = test.world.salesUnits.find(({ active, partnerId }) => active && partnerId === organisation.id)?.body
  const order = test.world.productOrders.find(({ partnerId }) => partnerId === organisation.id)?.body.productOrderId
  return [
    '',
    '/search',
    '/why',
    '/product-orders',
    ...(order ? [`/product-orders/${order}`] : []),
    '/merchants',
    '/templates',
    '/sales-units',
    ...(unit
      ? [`/sales-units/${unit.msn}`, `/merchants/${unit.businessIdentifier.scheme}/${unit.businessIdentifier.id}`]
      : []),
    '/price-packages',
    '/activity',
    '/developers/webhooks',
  ].map((path) => base + path)
}

function everyOrganisation(): OrganisationReference[] {
  return test.world.organisations.map(({ organisation }) => organisation)
}

describe('a signed-out visitor', () => {
  it('sees the sign-in page at / and /register', async () => {
    for (const path of ['/', '/register']) {
      const page = await test.browser().open(path)
      expect(page.status).toBe(200)
      expect(page.words).toContain('Sign in with eID')
      expect(page.words).toContain('Do I need eID?')
    }
  })

  it('is redirected from every other page to the sign-in page, and back after sign-in', async () => {
    for (const path of ['/select', '/profile', ...everyOrganisation().flatMap(pagesOf), '/no/such/page']) {
      const page = await test.browser().open(path, { follow: false })
      expect([path, page.status, page.headers['location']]).toEqual([
        path,
        302,
        `/?returnTo=${encodeURIComponent(path)}`,
      ])
    }
    const browser = test.browser()
    const page = await browser.signIn('Kari Nordmann', '/partners/12345/price-packages?a=b')
    expect(page.url.pathname + page.url.search).toBe('/partners/12345/price-packages?a=b')
  })
})

/** The organisations of a person's access that has ended or was revoked. */
function endedOf({ grants, revoked = [] }: Pick<DemoPerson, 'grants' | 'revoked'>): OrganisationReference[] {
  return [...grants.filter(({ days = 0 }) => days < 0).map(({ organisation }) => organisation), ...revoked]
}

it.each(demoPeople.filter((person) => endedOf(person).length > 0))(
  '$name reads at every page of an organisation that their access has ended',
  async (person) => {
    const browser = await test.signedIn(person.name)
    for (const path of endedOf(person).flatMap(pagesOf)) {
      const page = await browser.open(path)
      expect([path, page.status, page.$('h1').text()]).toEqual([
        path,
        403,
        expect.stringMatching(/^Your access to .* has/),
      ])
    }
  },
)

describe.each(demoPeople)('$name', ({ name, grants: all, revoked = [] }) => {
  const inForce = all.filter(({ days = 0 }) => days >= 0)
  const grants = inForce.map(({ organisation }) => organisation)
  const ended = endedOf({ grants: all, revoked })
  let browser: Browser
  beforeAll(async () => {
    browser = await test.signedIn(name)
  })

  it('sees every page of their organisations, with its name in title and side bar', async () => {
    for (const { organisation, role } of inForce) {
      const known = test.world.organisations.find(
        (candidate) => organisationKey(candidate.organisation) === organisationKey(organisation),
      )?.organisation
      for (const path of pagesFor(organisation, role)) {
        const page = await browser.open(path)
        expect([path, page.status]).toEqual([path, 200])
        expect(page.$('.side strong').first().text()).toBe(known?.name)
        expect(page.$('title').text()).toContain(known?.name)
        expect(page.$('h1')).toHaveLength(1)
        expect(page.$('html').attr('lang')).toBe('en')
      }
    }
  })

  it('gets 404 for every other organisation', async () => {
    const mine = new Set([...grants, ...ended].map(organisationKey))
    for (const organisation of everyOrganisation().filter((other) => !mine.has(organisationKey(other)))) {
      for (const path of pagesOf(organisation)) {
        const page = await browser.open(path)
        expect([path, page.status]).toEqual([path, 404])
        expect(page.words).toContain('Page not found')
        expect(page.text).not.toContain(
          test.world.organisations.find(
            ({ organisation: known }) => organisationKey(known) === organisationKey(organisation),
          )?.organisation.name,
        )
      }
    }
  })

  it('gets 404 for sales units, merchants and orders of another partner', async () => {
    for (const organisation of grants.filter(({ kind }) => kind === 'partner')) {
      const foreign = test.world.salesUnits.find(
        ({ partnerId }) => partnerId !== null && partnerId !== organisation.id,
      )?.body
      const foreignOrder = test.world.productOrders.find(({ partnerId }) => partnerId !== organisation.id)?.body
        .productOrderId
      const base = `/partners/${organisation.id}`
      const { scheme, id } = foreign?.businessIdentifier ?? { scheme: '', id: '' }
      for (const path of [
        `/sales-units/${foreign?.msn}`,
        `/merchants/${scheme}/${id}`,
        `/product-orders/${foreignOrder}`,
      ]) {
        const page = await browser.open(base + path)
        expect([path, page.status]).toEqual([path, 404])
        expect(page.words).toContain('You do not have access to this')
      }
    }
  })

  it('has a profile with name, e-mail address and a user ID to copy', async () => {
    const page = await browser.open('/profile')
    const person = demoPeople.find((candidate) => candidate.name === name)
    expect(page.words).toContain(name)
    expect(page.words).toContain(person?.email)
    expect(page.$('#user-id').text()).toBe(test.userId(name))
    expect(page.$('main section').last().find('#user-id, button[data-copy]')).toHaveLength(3)
    expect(page.$('header .account-button').text()).toContain(name)
    expect(page.$('header #account a[href="/profile"]')).toHaveLength(1)
  })
})

describe('staying signed in', () => {
  it('is a button of the page about the end of the session', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const page = await browser.open('/session/ending?returnTo=/profile')
    expect(page.words).toContain('You will be signed out at')
    expect((await browser.press('Stay signed in')).url.pathname).toBe('/profile')
    expect((await browser.press('Sign out all other devices')).url.pathname).toBe('/profile')
  })
})

describe('the light and dark themes', () => {
  it('are buttons in the top bar of every page, and return to the page', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await browser.open('/partners/12345')
    const page = await browser.press('Dark')
    expect([page.url.pathname, page.$('html').attr('data-color-scheme')]).toEqual(['/partners/12345', 'dark'])
  })
})

describe('signing out', () => {
  it('is a button of the profile page, and leads to the sign-in page', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await browser.open('/profile')
    const page = await browser.press('Sign out')
    expect(page.url.origin).toBe(test.issuer)
    const left = await browser.open('/profile')
    expect(left.words).toContain('Sign in with eID')
  })

  it('keeps the chosen language', async () => {
    const browser = test.browser()
    expect((await browser.open('/language/nb?returnTo=/register')).status).toBe(200)
    expect((await browser.open('/')).$('html').attr('lang')).toBe('nb')
  })
})

describe('an e-mail address verified with a code', () => {
  it('can be verified again and changed from the profile', async () => {
    const browser = await test.signedIn('Liisa Korhonen')
    await browser.open('/profile')
    await browser.follow('Change email address')
    await browser.press('Send me a code', { typed: { email: 'liisa@tyhja.example' } })
    const again = await browser.press('Send a new code')
    expect(again.words).toContain('A new code is on its way.')
    const kept = await browser.follow('Keep liisa.korhonen@tyhja.example')
    expect(kept.url.pathname).toBe('/profile')
  })
})

describe('notifications', () => {
  it('are a form of the profile page, and stop by a link without signing in', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await browser.open('/profile')
    const saved = await browser.press('Save', { typed: { digest: 'daily' } })
    expect(saved.words).toContain('Your choice for Nordlys Platform AS has been saved.')
    const tokens = createUnsubscribeTokens(test.config.sessionSecrets)
    const token = tokens.create({ userId: test.userId('Kari Nordmann'), organisation: 'partner/12345' })
    const stranger = test.browser()
    expect((await stranger.open(`/unsubscribe/${token}`)).words).toContain('Stop emails about Nordlys Platform AS')
    expect((await stranger.press('Stop emails')).words).toContain('Emails about Nordlys Platform AS have stopped')
  })
})

it('the tests above visit every route of the site map without a server error', async () => {
  await test.browser().open('/auth/jwks.json')
  const åse = await test.signedIn('Åse Bjørk')
  for (const { path } of everyRoute().filter((route) => /\.(csv|xlsx)$/.test(route.path)))
    await åse.open(
      path
        .replace('/partners/:partnerId', '/partners/12345')
        .replace('/merchants/:scheme/:id', '/merchants/business:NO:ORG/311900456'),
    )
  // The server-to-server routes have their own tests.
  const routes = everyRoute()
    .filter(({ section }) => section !== 'servers')
    .map(({ method, path }) => `${method} ${path}`)
  expect(routes.length).toBeGreaterThan(20)
  const visited = linesOf(test.log())
    .filter(({ msg, status }) => msg === 'request' && Number(status) < 400)
    .map(({ method, route }) => `${String(method)} ${String(route)}`)
  expect([...new Set(visited)].filter((route) => !route.endsWith(' none')).toSorted()).toEqual(routes.toSorted())
})
