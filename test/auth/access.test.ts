import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { OrganisationReference } from '../../src/domain/organisation.ts'
import { addGrant, removeGrant } from '../../src/store/grants.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const nordlys: OrganisationReference = { kind: 'partner', id: '12345' }
const acme: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '311900456' }
const gone: OrganisationReference = { kind: 'partner', id: '99999' }

const noAccess = 'You do not have access to any business yet'

let test: TestPortal
let browser: Browser
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
  browser = await test.signedIn('Freja Østergård')
})
afterAll(async () => test.stop())
beforeEach(async () => {
  for (const organisation of [nordlys, acme, gone]) await revoke(organisation)
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

/** The page with the steps to get access; what stands first in it. */
async function stepsAt(path: string): Promise<string> {
  const page = await browser.open(path)
  expect([page.status, page.url.pathname]).toEqual([200, '/select'])
  expect(page.$('ol.steps li')).toHaveLength(4)
  expect(page.$('#user-id').text()).toBe(freja())
  expect(page.words).toContain('freja.ostergard@ny.example')
  return page.$('h1').text()
}

describe('/select', () => {
  it('without a grant tells, step by step, how to get one, with user ID and e-mail address', async () => {
    expect(await stepsAt('/select')).toBe(noAccess)
    expect(await stepsAt('/select?all')).toBe(noAccess)
  })

  it('with exactly one leads straight to it; ?all shows the list of one', async () => {
    await grant(nordlys)
    const partner = await browser.open('/select')
    expect([partner.status, partner.url.pathname]).toEqual([200, '/partners/12345'])
    expect(await choices('/select?all')).toEqual(['/partners/12345'])
    expect((await browser.open('/select?all')).$('h1').text()).toBe('Select your option')
    await revoke(nordlys)
    await grant(acme)
    const merchant = await browser.open('/select')
    expect([merchant.status, merchant.url.pathname]).toEqual([200, '/merchants/business:NO:ORG/311900456'])
  })

  it('with several lets one choose among all of them', async () => {
    await grant(nordlys)
    await grant(acme)
    const page = await browser.open('/select')
    expect(page.$('h1').text()).toBe('Select your option')
    expect(
      page
        .$('main h2')
        .map((_, element) => page.$(element).text())
        .get(),
    ).toEqual(['Partners', 'Merchants'])
    expect(await choices('/select')).toEqual(['/partners/12345', '/merchants/business:NO:ORG/311900456'])
  })

  it('shows nothing of an organisation that is no longer configured, and nothing breaks', async () => {
    await grant(gone)
    expect(await stepsAt('/select')).toBe(noAccess)
    expect((await browser.open('/profile')).words).toContain('Nobody has connected you')
    expect((await browser.open('/partners/99999')).status).toBe(404)
    await grant(nordlys)
    expect((await browser.open('/select')).url.pathname).toBe('/partners/12345')
    expect(await choices('/profile')).toEqual(['/partners/12345'])
  })
})

describe('a grant', () => {
  it('counts from the very next request on, and no longer than until it is revoked', async () => {
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
        expect([page.status, page.words]).toEqual([404, expect.stringContaining('There is no such page')])
      }
      expect(await stepsAt('/select')).toBe(noAccess)
    }
  })

  it('is for the one organisation it names, however its address is written', async () => {
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
