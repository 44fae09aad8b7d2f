import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FaultAnswer } from '../../demo/management-api/faults.ts'
import type { Partner } from '../../src/domain/organisation.ts'
import { makeDue, requestRefresh } from '../../src/store/due.ts'
import { findSyncState } from '../../src/store/sync-state.ts'
import words from '../../views/locales/en.json' with { type: 'json' }
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'
import { factsOf, linesOf, linksOf, rowsOf, wordsOf } from '../support/page-content.ts'

const base = '/partners/12345'
const nordlys: Partner = { kind: 'partner', id: '12345', name: 'Nordlys' }
const unavailable: FaultAnswer = { status: 503, body: { title: 'Service Unavailable' } }
/** What has failed is not tried again by itself while these tests run; what is looked at is refreshed after a second. */
const calmEnv = { SYNC_RETRY_SECONDS: '300', SYNC_REFRESH_SECONDS: '1' }
const env = { ...calmEnv, MANAGEMENT_API_TIMEOUT_MS: '600' }

/** Every page, and how it calls what it cannot do without. */
function pagesOf({ world }: TestPortal): [path: string, what: string][] {
  return [
    ['/sales-units', 'the sales units'],
    ['/sales-units/20481234', 'the sales unit'],
    ['/merchants/business:DK:CVR/92345678', 'the merchant'],
    ['/product-orders', 'the product orders'],
    [
      `/product-orders/${world.productOrders.find(({ partnerId }) => partnerId === '12345')?.body.productOrderId}`,
      'the product order',
    ],
    ['/price-packages', 'the price packages'],
    ['/templates', 'the templates'],
    ['/developers/webhooks', 'the webhooks'],
  ]
}

/** Answers so whatever is asked for below one of these paths, until the faults changes. */
function answering({ api }: TestPortal, answer: FaultAnswer, ...paths: string[]): void {
  api.faults.override = ({ path }) => (paths.some((part) => path.includes(part)) ? answer : undefined)
}

/** Nothing is wrong with the API, and the client has found so with a call that no page needs. */
async function recover(test: TestPortal): Promise<void> {
  Object.assign(test.api.faults, { override: null, down: false, latencyMs: 0 })
  const { kysely } = test.portal.database
  const isAnswered = async (): Promise<boolean> => {
    await requestRefresh(kysely, nordlys, 'salesUnit', ['999999'])
    await test.settled()
    return (await findSyncState(kysely, nordlys, 'salesUnit', '999999'))?.failure === null
  }
  await until(isAnswered)
}

const givesAway = /Error|at .*\.ts|Service Unavailable|ECONN/

describe('what has been read before', () => {
  let test: TestPortal
  let åse: Browser
  /** Every page's words while all was well, without what tells the time. */
  const fair = new Map<string, string>()
  const timeless = (text: string): string => text.replaceAll(/Checked (.*? ago|just now|now)/g, '')

  beforeAll(async () => {
    test = await startTestPortal({ env })
    åse = await test.signedIn('Åse Bjørk')
    for (const [path] of pagesOf(test)) fair.set(path, timeless((await åse.open(base + path)).words))
    await test.settled()
  })
  afterEach(async () => recover(test))
  afterAll(async () => test.stop())

  /** Has every list of the partner read now, and what somebody has open. */
  const readAgain = async (): Promise<void> => {
    await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
    await setTimeout(1100)
    for (const [path] of pagesOf(test)) await åse.open(base + path)
    await test.settled()
  }

  /** Which pages do not show what is known, with a banner that says so. */
  const wrong = async (banner: RegExp): Promise<string[]> => {
    const found: string[] = []
    for (const [path] of pagesOf(test)) {
      const page = await åse.open(base + path)
      const alert = wordsOf(page.$('main .ds-alert[data-color=warning]'))
      const rest = timeless(page.words).replace(alert, '').replaceAll(/\s+/g, ' ')
      const right =
        page.status === 200 &&
        banner.test(alert) &&
        /You see what was there on \d+ \w+ \d{4}, \d\d:\d\d; what has happened since is missing\.$/.test(alert) &&
        rest === fair.get(path)?.replaceAll(/\s+/g, ' ') &&
        page.$('.side nav a').length === 6 &&
        !givesAway.test(page.words)
      if (!right) found.push(`${path}: ${page.status} ${page.words}`)
    }
    return found
  }

  const notAnswering = /^Vipps MobilePay's API has not answered as it should since \d/

  it('is shown with a banner when the API answers 503, and without it as soon as it is well again', async () => {
    answering(test, unavailable, '/v')
    await readAgain()
    expect(await wrong(notAnswering)).toEqual([])
    const landing = await åse.open(base)
    expect(landing.status).toBe(200)
    expect(wordsOf(landing.$('main .ds-alert'))).toMatch(notAnswering)
    expect(landing.words).not.toContain('Could not be read just now')
    expect(wordsOf(landing.$('section[aria-labelledby=counts] li').first())).toBe('12 Sales units')

    await recover(test)
    await readAgain()
    for (const [path] of pagesOf(test)) {
      const page = await åse.open(base + path)
      expect([path, page.status, page.$('main .ds-alert').text()]).toEqual([path, 200, ''])
    }
  })

  it('is shown when it does not answer in time', async () => {
    test.api.faults.latencyMs = 1000
    await readAgain()
    expect(await wrong(notAnswering)).toEqual([])
  })

  it('is shown when it is down', async () => {
    test.api.faults.down = true
    await readAgain()
    expect(await wrong(notAnswering)).toEqual([])
  })

  it.each([401, 403])('is shown when it answers %s, and the log says whose keys it refuses', async (status) => {
    answering(test, { status, body: { title: 'Nope' } }, '/v')
    const before = test.log().length
    await readAgain()
    expect(await wrong(/^Vipps MobilePay's API has refused the portal's keys for this business since \d/)).toEqual([])
    const failed = linesOf(test.log().slice(before)).filter(({ msg }) => msg === 'upstream call failed')
    for (const purpose of ['salesUnits', 'productOrders', 'pricePackages', 'productOrderTemplates', 'webhooks'])
      expect(failed).toContainEqual(
        expect.objectContaining({ level: 40, organisation: 'partner/12345', purpose, status }),
      )
  })

  it('is waited for by nobody when the API hangs', async () => {
    test.api.faults.latencyMs = 10_000
    await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
    await setTimeout(1100)
    for (const [path] of pagesOf(test)) {
      const began = performance.now()
      expect((await åse.open(base + path)).status).toBe(200)
      expect([path, performance.now() - began < 2500]).toEqual([path, true])
    }
  })

  it('is gone from its list when its details are no longer shared, and back with them', async () => {
    answering(test, { status: 404 }, '/v1/sales-units/124680')
    const path = '/merchants/business:NO:ORG/311900456/sales-units'
    const msns = async () => rowsOf(await åse.open(path)).map(([, msn]) => msn)
    expect(await msns()).toContain('124680')
    const before = test.api.requests.length
    await setTimeout(1100)
    expect((await åse.open(`${path}/124680`)).$('h1').text()).toBe('Tromsø Fitness Nordlys')
    await test.settled()
    const gone = await åse.open(`${path}/124680`)
    expect([gone.status, gone.$('h1').text()]).toEqual([410, 'Tromsø Fitness Nordlys is no longer shared with you'])
    expect(await msns()).not.toContain('124680')
    await test.settled()
    // Nobody asks for it again and again; whoever opens it asks once.
    const asked = test.api.requests
      .slice(before)
      .filter(({ path: called, status }) => called.endsWith('/sales-units/124680') && status === 404)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.length).toBeLessThan(4)

    await recover(test)
    await setTimeout(1100)
    await åse.open(`${path}/124680`)
    await test.settled()
    expect((await åse.open(`${path}/124680`)).$('h1').text()).toBe('Tromsø Fitness Nordlys')
    expect(await msns()).toContain('124680')
  })
})

describe('what has never been read', () => {
  const apis = /^\/(management|webhooks)\//
  let test: TestPortal
  let åse: Browser
  beforeAll(async () => {
    // There are tokens, and nothing else.
    test = await startTestPortal({
      env,
      synced: false,
      faults: { override: ({ path }) => (apis.test(path) ? unavailable : undefined) },
    })
    await test.settled()
    åse = await test.signedIn('Åse Bjørk')
  })
  afterEach(async () => recover(test))
  afterAll(async () => test.stop())

  /** Which pages do not say what is missing, lead to another try and keep the menu, and which give something away. */
  const wrong = async (): Promise<string[]> => {
    const found: string[] = []
    for (const [path, what] of pagesOf(test)) {
      const page = await åse.open(base + path)
      const right =
        page.status === 503 &&
        page.words.startsWith(`We cannot read ${what} just now`) &&
        page.words.includes(`so ${what} cannot be shown`) &&
        linksOf(page)['Try again'] === base + path &&
        page.$('.side nav a').length === 6 &&
        !givesAway.test(page.words)
      if (!right) found.push(`${path}: ${page.status} ${page.words}`)
    }
    return found
  }

  it('is missing in words when the API answers 503', async () => {
    answering(test, unavailable, '/management/', '/webhooks/')
    // The first calls are tried three times, which may take longer than a page waits.
    await expect.poll(wrong, { timeout: 20_000 }).toEqual([])
    const landing = await åse.open(base)
    expect(landing.status).toBe(200)
    expect(landing.words.match(/Could not be read just now/g)).toHaveLength(4)
  })

  it('is missing in words when it is down', async () => {
    test.api.faults.down = true
    await expect.poll(wrong, { timeout: 20_000 }).toEqual([])
  })

  it.each([401, 403])('is missing in words when it answers %s: our keys were refused', async (status) => {
    answering(test, { status, body: { title: 'Nope' } }, '/management/', '/webhooks/')
    for (const [path, what] of pagesOf(test)) {
      const page = await åse.open(base + path)
      expect([path, page.status, page.$('h1').text()]).toEqual([path, 502, 'Our keys were refused'])
      expect(page.words).toContain(`when it asked for ${what}.`)
    }
  })

  it('is missing in words when the keys themselves are refused, and the log says whose', async () => {
    test.api.faults.revokeTokens()
    answering(test, { status: 401, body: { title: 'Unauthorized' } }, '/accesstoken/get', '/miami/v1/token')
    const before = test.log().length
    const page = await åse.open('/merchants/business:NO:ORG/313402778/details')
    expect([page.status, page.$('h1').text()]).toEqual([502, 'Our keys were refused'])
    expect(page.words).toContain('when it asked for the merchant.')
    const lines = linesOf(test.log().slice(before))
    expect(lines).toContainEqual(
      expect.objectContaining({
        organisation: 'merchant/business:NO:ORG/313402778',
        purpose: 'token',
        status: 401,
        msg: 'upstream call failed',
      }),
    )
    const reference = page.$('.reference code').text()
    expect(page.headers['x-request-id']).toBe(reference)
    expect(lines).toContainEqual(
      expect.objectContaining({ requestId: reference, msg: 'error page', page: 'upstreamRefused' }),
    )
  })

  it('is left out of the landing page, which shows the rest, and templates have the ids of price packages', async () => {
    answering(test, { status: 403 }, '/price-packages', '/product-orders')
    const page = await åse.open(base)
    expect(page.status).toBe(200)
    const cards = page.$('section[aria-labelledby=counts] li').toArray()
    expect(cards.map((card) => wordsOf(page.$(card)))).toEqual([
      '12 Sales units',
      '– Price packages Could not be read just now',
      '5 Templates',
    ])
    expect(wordsOf(page.$('section[aria-labelledby=orders] p'))).toBe('Could not be read just now')
    expect((await åse.open(`${base}/sales-units`)).status).toBe(200)

    const rows = rowsOf(await åse.open(`${base}/templates`))
    const ids = test.world.templates.map(({ body }) => body.pricePackageId ?? 'The merchant chooses')
    expect(rows.map(([, , pricePackage]) => String(pricePackage)).toSorted()).toEqual(ids.toSorted())
  })
})

describe('a part of what is there', () => {
  let test: TestPortal
  let åse: Browser
  beforeAll(async () => {
    test = await startTestPortal({
      env: calmEnv,
      faults: {
        override: ({ path, msn }) =>
          path.endsWith('/314550091')
            ? { status: 404 }
            : path.endsWith('/92345678') || (path.includes('/webhooks') && msn === '231777')
              ? { status: 403 }
              : path.endsWith('/sales-units/20481234')
                ? unavailable
                : undefined,
      },
    })
    åse = await test.signedIn('Åse Bjørk')
  })
  afterAll(async () => test.stop())

  it('is missing in the list: merchants that could not be read, and those that are not shared', async () => {
    const rows = rowsOf(await åse.open(`${base}/sales-units`))
    expect(rows).toHaveLength(12)
    const of = (msn: string) => rows.find((row) => row[1] === msn)
    expect(of('231777')?.[2]).toBe(words.common.notRead)
    expect(of('20481235')?.[2]).toBe(words.common.notShared)
    expect(of('20481234')?.slice(2, -1)).toEqual([words.common.notRead])
    expect(wordsOf((await åse.open(`${base}/sales-units`)).$('.reading p'))).toMatch(
      /^Read in full so far: \d+ of 12 sales units\./,
    )
  })

  it('is missing in a sales unit: its merchant', async () => {
    for (const msn of ['231777', '20481235']) {
      const page = await åse.open(`${base}/sales-units/${msn}`)
      expect(page.status).toBe(200)
      expect(factsOf(page)['Merchant']).toBe(words.salesUnit.merchantMissing)
      expect(page.$('dl.settings > div').length).toBeGreaterThan(0)
    }
  })

  it('is missing in a sales unit: all but its name', async () => {
    const page = await åse.open(`${base}/sales-units/20481234`)
    expect([page.status, page.$('h1').text()]).toEqual([
      200,
      test.world.salesUnits.find(({ body }) => body.msn === '20481234')?.body.name,
    ])
    expect(page.words).toContain(words.salesUnit.notRead)
    expect(page.words).toContain('has not answered as it should since')
    expect(page.words).toContain('Nothing has been read yet.')
  })

  it('is missing in the webhooks: those of sales units, with a note', async () => {
    const page = await åse.open(`${base}/developers/webhooks`)
    expect(rowsOf(page).length).toBeGreaterThan(3)
    expect(page.words).not.toContain('oles-gym')
    expect(page.words).toContain('Not asked for their webhooks yet: 1 of 12 sales units')
  })

  // Last: it is fair again.
  it('is there as soon as it can be read', async () => {
    await recover(test)
    // A merchant that is not shared is asked for again when somebody looks.
    const notShared = `${base}/merchants/business:NO:ORG/314550091`
    expect((await åse.open(notShared)).status).toBe(404)
    await test.sync()
    expect((await åse.open(notShared)).status).toBe(200)
    const page = await åse.open(`${base}/sales-units`)
    expect(page.words).not.toContain(words.common.notRead)
    expect(page.$('.reading')).toHaveLength(0)
    const names = rowsOf(page).map(([, , merchant]) => merchant ?? '')
    expect(names).toHaveLength(12)
    expect(names.filter((name) => !test.world.merchants.some(({ body }) => body.name === name))).toEqual([])
    const webhooks = await åse.open(`${base}/developers/webhooks`)
    expect(webhooks.words).toContain('oles-gym')
    expect(webhooks.words).not.toContain('Not asked for')
  })
})
