import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FaultAnswer } from '../../demo/management-api/faults.ts'
import type { Partner } from '../../src/domain/organisation.ts'
import { makeDue, requestRefresh } from '../../src/store/due.ts'
import { findSyncState } from '../../src/store/sync-state.ts'
import { messages } from '../support/messages.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'
import { factsOf, linesOf, linksOf, rowsOf, wordsOf } from '../support/page-content.ts'

const base = '/partners/12345'
const nordlys: Partner = { kind: 'partner', id: '12345', name: 'Nordlys' }
const unavailable: FaultAnswer = { status: 503, body: { title: 'Service Unavailable' } }
/** The sync retries no failed call during these tests; a page view refreshes data that is older than a second. */
const noRetryEnv = { SYNC_RETRY_SECONDS: '300', SYNC_REFRESH_SECONDS: '1' }
const env = { ...noRetryEnv, MANAGEMENT_API_TIMEOUT_MS: '2000' }

/** Every page, and its name for the data it cannot be shown without. */
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

/** Gives this answer to every request whose path contains one of these parts, until the faults change. */
function answerWith({ api }: TestPortal, answer: FaultAnswer, ...paths: string[]): void {
  api.faults.override = ({ path }) => (paths.some((part) => path.includes(part)) ? answer : undefined)
}

/** Clears all faults and waits until the client has made a successful call, for a record that no page shows. */
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

/** Makes the stored data a minute older, so that the next page view refreshes it. */
async function makeOld({ portal }: TestPortal): Promise<void> {
  await portal.database.pool.query(`update sync_state set checked_at = checked_at - interval '1 minute'`)
}

const internals = /Error|at .*\.ts|Service Unavailable|ECONN/

describe('synced data', () => {
  let test: TestPortal
  let åse: Browser
  /** The text of every page before any fault, without the times. */
  const textBefore = new Map<string, string>()
  const withoutTimes = (text: string): string => text.replaceAll(/Checked (.*? ago|now)|Printed .*? at \d\d:\d\d/g, '')

  beforeAll(async () => {
    test = await startTestPortal({ env })
    åse = await test.signedIn('Åse Bjørk')
    // Until all details are read, pages say that some are missing.
    await test.settled()
    for (const [path] of pagesOf(test)) textBefore.set(path, withoutTimes((await åse.open(base + path)).words))
    await test.settled()
  })
  afterEach(async () => recover(test))
  afterAll(async () => test.stop())

  /** Whether the details of every page that shows one record have been asked for, with an answer or without. */
  const areDetailsTried = async (): Promise<boolean> => {
    const { rows } = await test.portal.database.pool.query(
      `select from sync_state where organisation = 'partner/12345' and failure is null
         and checked_at < now() - interval '30 seconds'
         and (resource, key) in (('salesUnit', '20481234'), ('merchant', 'business:DK:CVR/92345678'),
           ('productOrder', $1))`,
      [pagesOf(test)[4]?.[0].split('/').at(-1)],
    )
    return rows.length === 0
  }

  /** Refreshes every list of the partner and every page's data; a page asks for the same again after a second only. */
  const refreshAll = async (): Promise<void> => {
    const { kysely, pool } = test.portal.database
    await makeDue(kysely, nordlys, { listsOnly: true })
    await makeOld(test)
    // What a test before this one has left.
    await pool.query(`update sync_state set failure = null, failing_since = null, failures = 0 where key <> ''`)
    await until(async () => {
      for (const [path] of pagesOf(test)) await åse.open(base + path)
      await test.settled()
      return areDetailsTried()
    })
  }

  /** The pages that do not show the synced data below this banner. */
  const wrong = async (banner: RegExp): Promise<string[]> => {
    const found: string[] = []
    for (const [path] of pagesOf(test)) {
      const page = await åse.open(base + path)
      const alert = wordsOf(page.$('main .ds-alert[data-color=warning]'))
      const rest = withoutTimes(page.words).replace(alert, '').replaceAll(/\s+/g, ' ')
      const right =
        page.status === 200 &&
        banner.test(alert) &&
        /Showing data from \d+ \w+ \d{4} at \d\d:\d\d CES?T\. Later changes are not included\.$/.test(alert) &&
        rest === textBefore.get(path)?.replaceAll(/\s+/g, ' ') &&
        page.$('.side nav a').length === 10 &&
        !internals.test(page.words)
      if (!right) found.push(`${path}: ${page.status} ${page.words}`)
    }
    return found
  }

  const unavailableBanner = /^The Vipps MobilePay API has not been responding correctly since \d/

  it('is shown with a banner while the API answers 503, and without it after recovery', async () => {
    answerWith(test, unavailable, '/v')
    await refreshAll()
    expect(await wrong(unavailableBanner)).toEqual([])
    const landing = await åse.open(base)
    expect(landing.status).toBe(200)
    expect(wordsOf(landing.$('main .ds-alert'))).toMatch(unavailableBanner)
    expect(landing.words).not.toContain('Not available right now')
    expect(wordsOf(landing.$('section[aria-labelledby=counts] li').first())).toBe('Sales units 12 None new')

    await recover(test)
    await refreshAll()
    for (const [path] of pagesOf(test)) {
      const page = await åse.open(base + path)
      expect([path, page.status, page.$('main .ds-alert').text()]).toEqual([path, 200, ''])
    }
  })

  it('is shown with a banner when the API times out', async () => {
    test.api.faults.latencyMs = 3000
    await refreshAll()
    expect(await wrong(unavailableBanner)).toEqual([])
  })

  it('is shown with a banner when the API is down', async () => {
    test.api.faults.down = true
    await refreshAll()
    expect(await wrong(unavailableBanner)).toEqual([])
  })

  it.each([401, 403])(
    'is shown with a banner when the API answers %s, and the log names the organisation whose credentials it refuses',
    async (status) => {
      answerWith(test, { status, body: { title: 'Nope' } }, '/v')
      const before = test.log().length
      await refreshAll()
      expect(await wrong(/^The Vipps MobilePay API has rejected the portal’s keys for this business since \d/)).toEqual(
        [],
      )
      const failed = linesOf(test.log().slice(before)).filter(({ msg }) => msg === 'upstream call failed')
      for (const purpose of ['salesUnits', 'productOrders', 'pricePackages', 'productOrderTemplates', 'webhooks'])
        expect(failed).toContainEqual(
          expect.objectContaining({ level: 40, organisation: 'partner/12345', purpose, status }),
        )
    },
  )

  it('loads within 2.5 s when the API hangs', async () => {
    test.api.faults.latencyMs = 10_000
    await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
    await makeOld(test)
    for (const [path] of pagesOf(test)) {
      const began = performance.now()
      expect((await åse.open(base + path)).status).toBe(200)
      expect([path, performance.now() - began < 2500]).toEqual([path, true])
    }
  })

  it('loses a sales unit whose details are no longer shared, and gets it back when they are', async () => {
    answerWith(test, { status: 404 }, '/v1/sales-units/124680')
    const path = '/merchants/business:NO:ORG/311900456/sales-units'
    const msns = async () => rowsOf(await åse.open(path)).map(([, msn]) => msn)
    expect(await msns()).toContain('124680')
    const before = test.api.requests.length
    await makeOld(test)
    expect((await åse.open(`${path}/124680`)).$('h1').text()).toBe('Tromsø Fitness Nordlys')
    await test.settled()
    const gone = await åse.open(`${path}/124680`)
    expect([gone.status, gone.$('h1').text()]).toEqual([410, 'Tromsø Fitness Nordlys is no longer shared with you'])
    expect(await msns()).not.toContain('124680')
    await test.settled()
    // The sync does not ask for it repeatedly; only a page view does, once.
    const asked = test.api.requests
      .slice(before)
      .filter(({ path: called, status }) => called.endsWith('/sales-units/124680') && status === 404)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.length).toBeLessThan(4)

    await recover(test)
    await makeOld(test)
    await until(async () => {
      const page = await åse.open(`${path}/124680`)
      await test.settled()
      return page.$('h1').text() === 'Tromsø Fitness Nordlys'
    })
    expect(await msns()).toContain('124680')
  })
})

describe('data that was never synced', () => {
  const apis = /^\/(management|webhooks)\//
  let test: TestPortal
  let åse: Browser
  beforeAll(async () => {
    // Only the token endpoint works.
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

  /** The pages that do not name the missing data, lack "Try again" or the menu, or show internals. */
  const wrong = async (): Promise<string[]> => {
    const found: string[] = []
    for (const [path, what] of pagesOf(test)) {
      const page = await åse.open(base + path)
      const right =
        page.status === 503 &&
        page.$('h1').text() === `We cannot load ${what} right now` &&
        linksOf(page)['Try again'] === base + path &&
        page.$('.side nav a').length === 10 &&
        !internals.test(page.words)
      if (!right) found.push(`${path}: ${page.status} ${page.words}`)
    }
    return found
  }

  it('is replaced by the 503 page when the API answers 503', async () => {
    answerWith(test, unavailable, '/management/', '/webhooks/')
    // The first calls are tried three times, which can take longer than a page waits.
    await expect.poll(wrong, { timeout: 20_000 }).toEqual([])
    const landing = await åse.open(base)
    expect(landing.status).toBe(200)
    expect(landing.words.match(/Not available right now/g)).toHaveLength(7)
  })

  it('is replaced by the 503 page when the API is down', async () => {
    test.api.faults.down = true
    await expect.poll(wrong, { timeout: 20_000 }).toEqual([])
  })

  it.each([401, 403])('is replaced by the 502 page when the API answers %s', async (status) => {
    answerWith(test, { status, body: { title: 'Nope' } }, '/management/', '/webhooks/')
    for (const [path] of pagesOf(test)) {
      const page = await åse.open(base + path)
      expect([path, page.status, page.$('h1').text()]).toEqual([path, 502, 'The portal’s keys were rejected'])
      expect(page.words).toContain('rejected the keys for this business.')
    }
  })

  it('is replaced by the 502 page when the token endpoint refuses the credentials, and the log names the organisation', async () => {
    test.api.faults.revokeTokens()
    answerWith(test, { status: 401, body: { title: 'Unauthorized' } }, '/accesstoken/get', '/miami/v1/token')
    const before = test.log().length
    const page = await åse.open('/merchants/business:NO:ORG/313402778/details')
    expect([page.status, page.$('h1').text()]).toEqual([502, 'The portal’s keys were rejected'])
    expect(page.words).toContain('rejected the keys for this business.')
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

  it('is left out of the landing page, and templates show price package IDs instead of names', async () => {
    answerWith(test, { status: 403 }, '/price-packages', '/product-orders')
    const page = await åse.open(base)
    expect(page.status).toBe(200)
    const cards = page.$('section[aria-labelledby=counts] li').toArray()
    expect(cards.map((card) => wordsOf(page.$(card)))).toEqual([
      'Sales units 12 None new',
      expect.stringMatching(/^Merchants (\d+|Loading)$/),
      'Product orders Not available right now',
      'Price packages Not available right now',
      'Templates 5',
      expect.stringMatching(/^Webhooks (\d+|Loading)$/),
    ])
    expect(wordsOf(page.$('section#orders p'))).toBe('Not available right now')
    expect((await åse.open(`${base}/sales-units`)).status).toBe(200)

    const rows = rowsOf(await åse.open(`${base}/templates`))
    const ids = test.world.templates.map(({ body }) => body.pricePackageId ?? 'The merchant chooses')
    expect(rows.map(([, , pricePackage]) => String(pricePackage)).toSorted()).toEqual(ids.toSorted())
  })
})

describe('a part of the data', () => {
  let test: TestPortal
  let åse: Browser
  beforeAll(async () => {
    test = await startTestPortal({
      env: noRetryEnv,
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

  it('is marked in the list: merchants that could not be read, and those that are not shared', async () => {
    const rows = rowsOf(await åse.open(`${base}/sales-units`))
    expect(rows).toHaveLength(12)
    const of = (msn: string) => rows.find((row) => row[1] === msn)
    expect(of('231777')?.[2]).toBe(`${messages.common.notRead} DK 92345678`)
    expect(of('20481235')?.[2]).toBe(`${messages.common.notShared} NO 314 550 091`)
    expect(of('20481234')?.slice(2, -1)).toEqual([messages.common.notRead, ''])
    expect(wordsOf((await åse.open(`${base}/sales-units`)).$('.reading p'))).toMatch(/^\d+ of 12 sales units loaded\./)
  })

  it('is marked in a sales unit: its merchant', async () => {
    for (const [msn, why] of [
      ['231777', messages.common.notRead],
      ['20481235', messages.common.notShared],
    ]) {
      const page = await åse.open(`${base}/sales-units/${msn}`)
      expect(page.status).toBe(200)
      expect(factsOf(page)['Merchant']).toBe(why)
      expect(page.$('dl.settings > div').length).toBeGreaterThan(0)
    }
  })

  it('is marked in a sales unit: all but its name', async () => {
    const page = await åse.open(`${base}/sales-units/20481234`)
    expect([page.status, page.$('h1').text()]).toEqual([
      200,
      test.world.salesUnits.find(({ body }) => body.msn === '20481234')?.body.name,
    ])
    expect(page.words).toContain(messages.salesUnit.notRead)
    expect(page.words).toContain('has not been responding correctly since')
    expect(page.words).toContain('No data loaded yet.')
  })

  it('is marked in the webhooks: those of one sales unit', async () => {
    const page = await åse.open(`${base}/developers/webhooks`)
    expect(rowsOf(page).length).toBeGreaterThan(3)
    expect(page.words).not.toContain('oles-gym')
    expect(page.words).toContain('Webhooks for 1 of 12 sales units are still loading.')
  })

  // Must run last: it clears the faults.
  it('is shown as soon as it has been read', async () => {
    await recover(test)
    // A page view requests a merchant that was not shared again.
    const notShared = `${base}/merchants/business:NO:ORG/314550091`
    await åse.open(notShared)
    await test.sync()
    const shared = await åse.open(notShared)
    expect(shared.status).toBe(200)
    expect(shared.words).not.toContain(messages.merchant.notRead)
    const page = await åse.open(`${base}/sales-units`)
    expect(page.words).not.toContain(messages.common.notRead)
    expect(page.$('.reading')).toHaveLength(0)
    const names = rowsOf(page).map(([, , merchant]) => merchant ?? '')
    expect(names).toHaveLength(12)
    expect(names.filter((name) => !test.world.merchants.some(({ body }) => name.startsWith(`${body.name} `)))).toEqual(
      [],
    )
    const webhooks = await åse.open(`${base}/developers/webhooks`)
    expect(webhooks.words).toContain('oles-gym')
    expect(webhooks.words).not.toContain('are still loading')
  })
})
