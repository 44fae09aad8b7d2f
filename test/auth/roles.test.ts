import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { OrganisationReference } from '../../src/domain/organisation.ts'
import { mountOrganisation, type OrganisationRoute, type Route } from '../../src/pages/mount.ts'
import { covers, type Role, roles } from '../../src/domain/role.ts'
import { addGrant, removeGrant } from '../../src/store/grants.ts'
import type { Browser } from '../support/browser.ts'
import { anything, wholeSiteMap } from '../support/every-route.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const { anyone, account, user, partner, merchant } = wholeSiteMap

const nordlys: OrganisationReference = { kind: 'partner', id: '12345' }
const acme: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '311900456' }

const names = { partner: 'Nordlys Platform AS', merchant: 'ACME Fantastic Fitness AS' }

let test: TestPortal
const browsers = new Map<string, Browser>()

/** The visitors and their roles at Nordlys and at ACME; undefined means no access, which some have had. */
const visitors: Readonly<
  Record<string, { person?: string; partner?: Role; merchant?: Role; had?: readonly ('partner' | 'merchant')[] }>
> = {
  'a signed-out visitor': {},
  'a user without a grant': { person: 'Freja Østergård' },
  'a viewer': { person: 'Nora Lie', partner: 'viewer', merchant: 'viewer' },
  'a developer': { person: 'Åse Bjørk', partner: 'developer', merchant: 'developer' },
  'a user whose grant has ended': { person: 'Eirik Dahl', had: ['partner', 'merchant'] },
  'a user whose grant was revoked': { person: 'Ola Hansen', had: ['partner'] },
  'a developer of another organisation': { person: 'Liisa Korhonen' },
  'a viewer of the merchant only': { person: 'Jonas Berg', merchant: 'viewer' },
  'a developer of the partner only': { person: 'Kari Nordmann', partner: 'developer' },
}

beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
  const { kysely } = test.portal.database
  await addGrant(kysely, acme, test.userId('Nora Lie'))
  await addGrant(kysely, acme, test.userId('Eirik Dahl'), { role: 'developer', until: '2026-01-01' })
  await addGrant(kysely, acme, test.userId('Ola Hansen'), { role: 'developer' })
  await removeGrant(kysely, acme, test.userId('Ola Hansen'))
  for (const [visitor, { person }] of Object.entries(visitors))
    browsers.set(visitor, person ? await test.signedIn(person) : test.browser())
})
afterAll(async () => test.stop())

/** A path that matches the pattern of a route and shows an existing record. A new route parameter needs a line here. */
function pathOf(prefix: string, path: string): string {
  const unit = test.world.salesUnits.find(({ active, partnerId, body }) =>
    prefix.startsWith('/merchants')
      ? active && body.businessIdentifier.id === acme.id
      : active && partnerId === nordlys.id,
  )?.body
  const order = test.world.productOrders.find(({ partnerId }) => partnerId === nordlys.id)?.body
  const parts: Readonly<Record<string, string | undefined>> = {
    partnerId: nordlys.id,
    msn: unit?.msn,
    productOrderId: order?.productOrderId,
    scheme: unit?.businessIdentifier.scheme,
    id: unit?.businessIdentifier.id,
    code: 'en',
  }
  return `${prefix}${path === '/' && prefix ? '' : path}`.replaceAll(/:(\w+)/g, (_, name: string) => {
    const part = parts[name]
    if (part === undefined) throw new Error(`no value for route parameter :${name}; add one to pathOf`)
    return part
  })
}

function methodsOf({ get, post }: Route): ('GET' | 'POST')[] {
  return [...(get ? (['GET'] as const) : []), ...(post ? (['POST'] as const) : [])]
}

async function ask(visitor: string, method: 'GET' | 'POST', path: string) {
  const browser = browsers.get(visitor)
  if (!browser) throw new Error(visitor)
  return method === 'GET' ? browser.open(path, { follow: false }) : browser.post(path, {}, { follow: false })
}

/** A page, or a redirect to any page but the sign-in page. */
const pageOrRedirect = expect.stringMatching(/: (200$|302 \/(?!\?))/) as unknown as string

const sectionsOfOrganisations = [
  ['partner', partner],
  ['merchant', merchant],
] as const

describe.each(Object.entries(visitors))('%s', (visitor, { person, ...mine }) => {
  it('opens every public route', async () => {
    for (const route of anyone.routes)
      for (const method of methodsOf(route)) {
        const path = pathOf('', route.path)
        const { status, headers } = await ask(visitor, method, path)
        const where = `${method} ${path} ${status}`
        expect([where, headers['location'] ?? '']).toEqual([where, expect.not.stringMatching(/^\/\?/)])
        expect([where, status < 500 && status !== 404]).toEqual([where, true])
      }
  })

  it('opens the routes for users only when signed in', async () => {
    for (const route of [...account.routes, ...user.routes])
      for (const method of methodsOf(route)) {
        const path = pathOf('', route.path)
        const { status, headers } = await ask(visitor, method, path)
        const outcome = `${method} ${path}: ${status} ${headers['location'] ?? ''}`.trim()
        const returnTo = method === 'GET' ? `?returnTo=${encodeURIComponent(path)}` : ''
        // The sign-in page explains that the form was not processed; signing out without a session needs no explanation.
        const toSignIn =
          method === 'POST' && path !== '/logout'
            ? `POST ${path}: 303 /?form&returnTo=%2Fselect`
            : `${method} ${path}: 302 /${returnTo}`
        // The forms are sent without a CSRF token, so they are refused and the visitor stays signed in.
        const mayEnter = method === 'POST' ? `${method} ${path}: 403` : pageOrRedirect
        expect(outcome).toEqual(person ? mayEnter : toSignIn)
      }
  })

  it.each(sectionsOfOrganisations)('opens the %s routes that their role covers', async (kind, section) => {
    const role = mine[kind]
    /** Expected status and, for an error page, its heading. */
    const expectedOf = (needed: Role): [status: number, heading: string] => {
      if (!person) return [302, '']
      if (mine.had?.includes(kind)) return [403, `Your access to ${names[kind]} has ended`]
      if (!role) return [404, 'Page not found']
      return covers(role, needed) ? [200, ''] : [403, 'Your access does not include this page']
    }
    for (const route of section.routes)
      for (const method of methodsOf(route)) {
        const path = pathOf(section.prefix, route.path)
        const page = await ask(visitor, method, path)
        const outcome = [method, path, page.status, page.status > 400 ? page.$('h1').text() : '']
        expect(outcome).toEqual([method, path, ...expectedOf(route.role)])
        // Without a grant even the organisation's name is hidden. A download has no side bar.
        const isFile = page.headers['content-disposition'] !== undefined
        expect(page.$('.side')).toHaveLength(person && role && !isFile ? 1 : 0)
      }
  })
})

it('every route of an organisation names the role it needs', () => {
  for (const [, { routes }] of sectionsOfOrganisations) {
    for (const { path, role } of routes) expect([path, roles]).toEqual([path, expect.arrayContaining([role])])
    expect(new Set(routes.map(({ role }) => role))).toEqual(new Set(roles))
    for (const { path, role } of routes)
      expect([path, role === 'developer']).toEqual([path, path.startsWith('/developers')])
  }
})

it('mountOrganisation throws on a route without a role', () => {
  const withoutRole = [{ path: '/new', get: () => {} }] as unknown as readonly OrganisationRoute[]
  expect(() => mountOrganisation({ prefix: '/partners/:partnerId', routes: withoutRole }, anything as never)).toThrow(
    'has no role',
  )
})

describe('a viewer', () => {
  it('sees Developers neither in the menu nor on the landing page', async () => {
    for (const path of ['/partners/12345', '/merchants/business:NO:ORG/311900456']) {
      const viewer = await ask('a viewer', 'GET', path)
      expect(viewer.text).not.toMatch(/webhook|developers/i)
      const developer = await ask('a developer', 'GET', path)
      expect(developer.$('.menu').text()).toMatch(/Developers.*Webhooks/s)
    }
  })

  it('is offered URLs, webhooks or Developers on no page: in no lead, placeholder, filter or hint', async () => {
    const [base, own] = ['/partners/12345', '/merchants/business:NO:ORG/311900456']
    const pagesOf = (section: typeof partner) =>
      section.routes
        .filter(({ get, role, path }) => get && role === 'viewer' && !/[.:]/.test(path))
        .map(({ path }) => path)
    const paths = [...pagesOf(partner).map((path) => base + path), ...pagesOf(merchant).map((path) => own + path)]
    expect(paths.length).toBeGreaterThan(12)
    for (const path of [...paths, `${base}/search?q=zzz`, `${own}/search?q=zzz`, `${base}/why?q=zzz`]) {
      const page = await ask('a viewer', 'GET', path.replace(/\/$/, ''))
      page.$('script, link, svg, [data-hx-get]').removeAttr('href')
      const shown = [
        page.$('body').text(),
        ...page
          .$('[placeholder]')
          .toArray()
          .map((field) => page.$(field).attr('placeholder')),
      ]
      expect([path, page.status, /webhook|developers|\bURLs?\b/i.exec(shown.join(' '))?.[0]]).toEqual([
        path,
        200,
        undefined,
      ])
    }
    const lead = async (visitor: string, path: string) => (await ask(visitor, 'GET', path)).$('.title p').text()
    expect(await lead('a viewer', `${own}/search`)).toBe(
      'Names and MSNs of your sales units. An exact MSN leads straight there.',
    )
    expect(await lead('a developer', `${own}/search`)).toContain('the URLs and IDs of webhooks')
  })

  it('keeps menu and side bar on the 403 page', async () => {
    const page = await ask('a viewer', 'GET', '/partners/12345/developers/webhooks')
    expect(page.$('.side strong').first().text()).toBe('Nordlys Platform AS')
    expect(page.$('.menu').text()).not.toContain('Webhooks')
    expect(page.$('h1').text()).toBe('Your access does not include this page')
  })

  it('sees on profile and selection what the role covers and when the grant ends', async () => {
    const choice = async (visitor: string, path: string) =>
      (await ask(visitor, 'GET', path)).$('.choices a[href^="/merchants"] small').toArray().slice(1)
    const words = async (visitor: string, path: string) => {
      const page = await ask(visitor, 'GET', path)
      return (await choice(visitor, path)).map((element) => page.$(element).text())
    }
    const viewer = 'Can view everything except Developers'
    for (const path of ['/profile', '/select?all'])
      expect((await words('a viewer of the merchant only', path)).slice(-2)).toEqual([
        viewer,
        expect.stringMatching(/^Until the end of \d+ \w+ \d{4}$/),
      ])
    expect(await words('a developer', '/profile')).toContain('Can view everything')
    expect((await words('a developer', '/select?all')).join()).not.toContain('You see')
  })
})

it('a grant ends at its end time by the database clock', async () => {
  const { pool } = test.portal.database
  const path = '/partners/12345'
  const ends = async (when: string) =>
    pool.query(`update grants set ends_at = ${when} where user_id = $1 and organisation = 'partner/12345'`, [
      test.userId('Nora Lie'),
    ])
  await ends("now() + interval '1 hour'")
  expect((await ask('a viewer', 'GET', path)).status).toBe(200)
  await ends('now()')
  expect((await ask('a viewer', 'GET', path)).status).toBe(403)
  await ends('null')
  expect((await ask('a viewer', 'GET', path)).status).toBe(200)
})
