import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { organisationsOf } from '../../src/auth/access.ts'
import { organisationKey, type OrganisationReference } from '../../src/domain/organisation.ts'
import { createFormat } from '../../src/presentation/format.ts'
import { addGrant, removeGrant } from '../../src/store/grants.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const nordlys: OrganisationReference = { kind: 'partner', id: '12345' }
const acme: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '311900456' }
const unconfigured: OrganisationReference = { kind: 'partner', id: '99999' }

const noAccess = 'You do not have access to any business yet'

let test: TestPortal
let browser: Browser
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
  browser = await test.signedIn('Freja Østergård')
})
afterAll(async () => test.stop())
beforeEach(async () => {
  for (const organisation of [nordlys, acme, unconfigured]) await revoke(organisation)
})

function freja() {
  return test.userId('Freja Østergård')
}

function grant(organisation: OrganisationReference, terms: Parameters<typeof addGrant>[3] = {}) {
  return addGrant(test.portal.database.kysely, organisation, freja(), { role: 'developer', ...terms })
}

function revoke(organisation: OrganisationReference) {
  return removeGrant(test.portal.database.kysely, organisation, freja())
}

async function choices(path: string) {
  const page = await browser.open(path)
  return page
    .$('.choices a')
    .toArray()
    .map((element) => page.$(element).attr('href'))
}

/** Opens the page with the steps to get access and returns its heading. */
async function stepsAt(path: string): Promise<string> {
  const page = await browser.open(path)
  expect([page.status, page.url.pathname]).toEqual([200, '/select'])
  expect(page.$('ol.steps li')).toHaveLength(4)
  expect(page.$('#user-id').text()).toBe(freja())
  expect(page.words).toContain('freja.ostergard@ny.example')
  return page.$('h1').text()
}

it.each([
  ['nb-NO', ['Ørsta', 'Aarhus']],
  ['sv-SE', ['Aarhus', 'Ørsta']],
])('the organisations of a user are sorted by name as in %s', (locale, sorted) => {
  const partners = ['Ørsta', 'Aarhus'].map((name, id) => ({ kind: 'partner' as const, id: String(id), name }))
  const all = new Map(partners.map((partner) => [organisationKey(partner), partner]))
  const grants = new Map([...all.keys()].map((key) => [key, { role: 'viewer' as const, until: null }]))
  const organisations = { current: () => all, presence: () => new AbortController().signal }
  const user = { grants } as unknown as Express.User
  const shown = organisationsOf(user, organisations, { format: createFormat(locale) })
  expect(shown.map(({ organisation }) => organisation.name)).toEqual(sorted)
})

describe('/select', () => {
  it('shows a user without a grant the steps to get access, with user ID and e-mail address', async () => {
    expect(await stepsAt('/select')).toBe(noAccess)
    expect(await stepsAt('/select?all')).toBe(noAccess)
  })

  it('redirects a user with one grant to that organisation; ?all lists it', async () => {
    await grant(nordlys)
    const partner = await browser.open('/select')
    expect([partner.status, partner.url.pathname]).toEqual([200, '/partners/12345'])
    expect(await choices('/select?all')).toEqual(['/partners/12345'])
    expect((await browser.open('/select?all')).$('h1').text()).toBe('Choose a business')
    await revoke(nordlys)
    await grant(acme)
    const merchant = await browser.open('/select')
    expect([merchant.status, merchant.url.pathname]).toEqual([200, '/merchants/business:NO:ORG/311900456'])
  })

  it('lists all organisations to a user with several grants', async () => {
    await grant(nordlys)
    await grant(acme)
    const page = await browser.open('/select')
    expect(page.$('h1').text()).toBe('Choose a business')
    expect(
      page
        .$('main h2')
        .map((_, element) => page.$(element).text())
        .get(),
    ).toEqual(['Partners', 'Merchants'])
    expect(await choices('/select')).toEqual(['/partners/12345', '/merchants/business:NO:ORG/311900456'])
  })

  it('leaves out an organisation that is no longer configured', async () => {
    await grant(unconfigured)
    expect(await stepsAt('/select')).toBe(noAccess)
    expect((await browser.open('/profile')).words).toContain('You are not connected to a business yet.')
    expect((await browser.open('/partners/99999')).status).toBe(404)
    await grant(nordlys)
    expect((await browser.open('/select')).url.pathname).toBe('/partners/12345')
    expect(await choices('/profile')).toEqual(['/partners/12345'])
  })
})

describe('a grant', () => {
  it('takes effect at the next request and ends as soon as it is revoked', async () => {
    for (const [organisation, home] of [
      [nordlys, '/partners/12345'],
      [acme, '/merchants/business:NO:ORG/311900456'],
    ] as const) {
      expect((await browser.open(home)).status).toBe(404)
      await grant(organisation)
      for (const path of ['', '/sales-units', '/developers/webhooks'])
        expect((await browser.open(home + path)).status).toBe(200)
      await revoke(organisation)
      for (const path of ['', '/sales-units', '/developers/webhooks']) {
        const page = await browser.open(home + path)
        expect([page.status, page.words]).toEqual([404, expect.stringContaining('Page not found')])
      }
      expect(await stepsAt('/select')).toBe(noAccess)
    }
  })

  it('covers only the organisation it names, however the URL is written', async () => {
    await grant(acme)
    for (const path of [
      '/partners/311900456',
      '/partners/business:NO:ORG',
      '/merchants/business:no:org/311900456',
      '/merchants/business%3ANO%3AORG/313402778',
      '/merchants/business:NO:ORG/311900456%00',
      '/merchants/business:NO:ORG/311900456%2F..',
      '/merchants/business:NO:ORG/__proto__',
      '/merchants/NO:ORG/311900456',
    ])
      expect([path, (await browser.open(path)).status]).toEqual([path, 404])
  })
})
