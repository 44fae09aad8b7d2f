import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { WeatherAnswer } from '../../src/demo/management-api/weather.ts'
import words from '../../views/locales/en.json' with { type: 'json' }
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { factsOf, linesOf, linksOf, rowsOf, twoMinutesLater, wordsOf } from './reading.ts'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal({ env: { MANAGEMENT_API_TIMEOUT_MS: '200' } })
  åse = await test.signedIn('Åse Bjørk')
  // So that there is a token.
  await åse.open('/partners/12345')
  twoMinutesLater()
})
afterEach(() => {
  Object.assign(test.api.weather, { override: null, down: false, latencyMs: 0 })
  twoMinutesLater()
})
afterAll(async () => {
  vi.useRealTimers()
  await test.stop()
})

const base = '/partners/12345'
const unavailable: WeatherAnswer = { status: 503, body: { title: 'Service Unavailable' } }

/** Answers so whatever is asked for below one of these paths, until the weather changes. */
const answering = (answer: WeatherAnswer, ...paths: string[]): void => {
  test.api.weather.override = ({ path }) => (paths.some((part) => path.includes(part)) ? answer : undefined)
}

/** Every page, and how it calls what it cannot do without. */
const needs = (order: string): [string, string][] => [
  ['/sales-units', 'the sales units'],
  ['/sales-units/20481234', 'the sales unit'],
  ['/merchants/business:DK:CVR/92345678', 'the merchant'],
  ['/product-orders', 'the product orders'],
  [`/product-orders/${order}`, 'the product order'],
  ['/price-packages', 'the price packages'],
  ['/templates', 'the templates'],
  // This one reads two things at a time; what failed first is what it names.
  ['/developers/webhooks', '(the webhooks|the sales units)'],
]
const pages = (): [string, string][] =>
  needs(test.world.productOrders.find(({ partnerId }) => partnerId === '12345')?.body.productOrderId ?? '')

/** Which pages do not say what is missing, lead to another try and keep the menu, and which give something away. */
const wrong = async (): Promise<string[]> => {
  const results = await Promise.all(
    pages().map(async ([path, what]) => {
      const page = await åse.open(base + path)
      const right =
        page.status === 503 &&
        new RegExp(`^We cannot read ${what} just now`).test(page.words) &&
        new RegExp(`so ${what} cannot be shown`).test(page.words) &&
        linksOf(page)['Try again'] === base + path &&
        page.$('.side nav a').length === 6 &&
        !/Error|at .*\.ts|Service Unavailable|ECONN/.test(page.words)
      return right ? [] : [`${path}: ${page.status} ${page.words}`]
    }),
  )
  return results.flat()
}

describe('when the API', () => {
  it('answers 503, each page says what is missing', async () => {
    answering(unavailable, '/')
    const [pagesThatFail, landing] = await Promise.all([wrong(), åse.open(base)])
    expect(pagesThatFail).toEqual([])
    expect(landing.status).toBe(200)
    expect(landing.words.match(/Could not be read just now/g)).toHaveLength(4)
  })

  it('does not answer in time, each page says what is missing', async () => {
    test.api.weather.latencyMs = 400
    expect(await wrong()).toEqual([])
  })

  it('is down, each page says what is missing, and works again as soon as it is back', async () => {
    test.api.weather.down = true
    expect(await wrong()).toEqual([])
    test.api.weather.down = false
    for (const [path] of pages()) expect([path, (await åse.open(base + path)).status]).toEqual([path, 200])
  })

  it.each([401, 403])(
    'answers %s, the page says that our keys were refused, and the log whose',
    async (status) => {
      answering({ status, body: { title: 'Nope' } }, '/v')
      const before = test.log().length
      const lists = pages().filter(([path]) => !/\d/.test(path))
      expect(lists).toHaveLength(5)
      for (const [path, what] of lists) {
        const page = await åse.open(base + path)
        expect([path, page.status, page.$('h1').text()]).toEqual([path, 502, 'Our keys were refused'])
        expect(page.words).toMatch(new RegExp(`when it asked for ${what}\\.`))
      }
      const failed = linesOf(test.log().slice(before)).filter(({ msg }) => msg === 'upstream call failed')
      for (const purpose of [
        'salesUnits',
        'productOrders',
        'pricePackages',
        'productOrderTemplates',
        'webhooks',
      ])
        expect(failed).toContainEqual(
          expect.objectContaining({ level: 40, organisation: 'partner/12345', purpose, status }),
        )
    },
  )

  it('refuses the keys themselves, the page says so, and the log whose', async () => {
    answering({ status: 401, body: { title: 'Unauthorized' } }, '/accesstoken/get')
    const page = await åse.open('/merchants/business:NO:ORG/313402778/details')
    expect([page.status, page.$('h1').text()]).toEqual([502, 'Our keys were refused'])
    expect(page.words).toContain('when it asked for access to the API')
    expect(linesOf(test.log())).toContainEqual(
      expect.objectContaining({
        organisation: 'merchant/business:NO:ORG/313402778',
        purpose: 'token',
        status: 401,
        msg: 'upstream call failed',
      }),
    )
    const reference = page.$('.reference code').text()
    expect(page.headers['x-request-id']).toBe(reference)
    expect(linesOf(test.log())).toContainEqual(
      expect.objectContaining({ requestId: reference, msg: 'error page', page: 'upstreamRefused' }),
    )
  })
})

describe('when a part of the API is away', () => {
  it('the landing page says so of that part, and shows the others', async () => {
    answering({ status: 403 }, '/price-packages', '/product-orders')
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
  })

  it('templates are shown with the id of their price package', async () => {
    answering({ status: 403 }, '/price-packages')
    const rows = rowsOf(await åse.open(`${base}/templates`))
    const ids = test.world.templates.map(({ body }) => body.pricePackageId ?? 'The merchant chooses')
    expect(rows.map(([, , pricePackage]) => String(pricePackage)).toSorted()).toEqual(ids.toSorted())
  })

  it.each([403, 404])('a sales unit is shown without its merchant (%s)', async (status) => {
    answering({ status }, '/merchants/')
    const path = '/merchants/business:NO:ORG/311900456/sales-units/123789'
    const page = await åse.open(path)
    expect([page.status, page.$('h1').text()]).toEqual([200, 'Bergen Fitness Sentrum'])
    expect(factsOf(page)['Merchant']).toBe(words.salesUnit.merchantMissing)
    expect(page.words).toContain("The merchant's other sales units could not be read just now.")
    expect(page.words).not.toContain('You have no other sales unit.')
  })

  it('a merchant is shown without its sales units', async () => {
    answering({ status: 403 }, '/92345678/sales-units')
    const page = await åse.open(`${base}/merchants/business:DK:CVR/92345678`)
    expect([page.status, page.$('h1').text()]).toEqual([200, "Ole's Gym ApS"])
    expect(page.words).toContain('Its sales units could not be read just now.')
  })

  it('a list is shown with what it could not read, and has it as soon as it can', async () => {
    const path = '/partners/23456/sales-units?q=400'
    answering({ status: 403 }, '/merchants/')
    const unread = rowsOf(await åse.open(path))
    expect(unread.length).toBeGreaterThan(3)
    expect(unread.map(([, , merchant]) => merchant)).toEqual(unread.map(() => 'Not read yet'))
    expect((await åse.open(path)).words).toContain('Merchants have been read for 0 of 60 sales units so far')
    test.api.weather.override = null
    const names = rowsOf(await åse.open(path)).map(([, , merchant]) => merchant ?? '')
    expect(names.filter((name) => test.world.merchants.some(({ body }) => body.name === name))).toEqual(names)
  })

  it('a sales unit of the list that is no longer shared says so, and is not asked for again and again', async () => {
    answering({ status: 404 }, '/v1/sales-units/124680')
    const path = '/merchants/business:NO:ORG/311900456/sales-units'
    for (let times = 0; times < 3; times += 1) {
      const row = rowsOf(await åse.open(path)).find(([, msn]) => msn === '124680')
      expect(row).toEqual(['Tromsø Fitness Nordlys', '124680', words.common.notShared])
    }
    const asked = test.api.requests.filter(
      ({ path: called, status }) => called.endsWith('/sales-units/124680') && status === 404,
    )
    expect(asked).toHaveLength(1)
  })

  it('webhooks are shown as far as they were read, with a note', async () => {
    test.api.weather.override = ({ path, msn }) =>
      path.includes('/webhooks') && msn !== undefined ? { status: 403 } : undefined
    const page = await åse.open('/partners/23456/developers/webhooks')
    expect(rowsOf(page)).toHaveLength(2)
    expect(page.words).toContain('0 of 60 sales units have been asked for their webhooks so far')
  })
})

// Last, because the client leaves a token endpoint that has failed alone for a while.
it('names the data that is missing when it is the token that cannot be had', async () => {
  test.api.weather.revokeTokens()
  answering(unavailable, '/accesstoken/get')
  const page = await åse.open(`${base}/price-packages`)
  expect(page.status).toBe(503)
  expect(page.words).toContain('We cannot read the price packages just now')
})
