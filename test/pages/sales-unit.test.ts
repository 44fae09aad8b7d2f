import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { DemoSalesUnit } from '../../demo/world/types.ts'
import { messages } from '../support/messages.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { factsOf, inOrder, linksOf, rowsOf, shownDate, wordsOf } from '../support/page-content.ts'

let test: TestPortal
let kari: Browser
let mikko: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  mikko = await test.signedIn('Mikko Mäkinen')
})
afterAll(async () => test.stop())

const base = '/partners/12345/sales-units'
const sauna = '/merchants/business:FI:Y-tunnus/9234567-8'
const nordlys = { kind: 'partner', id: '12345' } as const

function unitOf(msn: string): DemoSalesUnit {
  const unit = test.world.salesUnits.find(({ body }) => body.msn === msn)
  if (!unit) throw new Error(`no sales unit ${msn}`)
  return unit
}

const known: Record<string, { name: string; text: string }> = messages.configuration
const values: Record<string, string> = messages.captureTypes

/** The expected text of one setting: name and key, then value and explanation. */
function setting(name: string, value: boolean | string): [string, string] {
  const said = typeof value === 'boolean' ? (value ? 'Yes' : 'No') : (values[value] ?? value)
  const entry = known[name]
  return entry
    ? [`${entry.name} ${name}`, `${said} ${entry.text}`]
    : [name, `${said} This setting is newer than the portal. It is shown as the API returns it.`]
}

describe('a sales unit', () => {
  it('shows every setting with an explanation', async () => {
    for (const { body } of visibleSalesUnits(test.world, nordlys)) {
      const page = await kari.open(`${base}/${body.msn}`)
      expect(page.$('h1').text()).toBe(body.name)
      const facts = page.$('main dl.settings > div').toArray()
      const shown = facts.map((fact) => [wordsOf(page.$(fact).find('dt')), wordsOf(page.$(fact).find('dd'))])
      const expected = Object.entries(body.configuration).map(([name, value]) => setting(name, value))
      expect(inOrder(shown)).toEqual(inOrder(expected))
      expect(page.$('dl.settings dd a')).toHaveLength(0)
      for (const link of page.$('dl.settings dt a').toArray())
        expect(page.$(link).attr('href')).toMatch(/^https:\/\/developer\.vippsmobilepay\.com\/docs\/.+\/$/)
    }
  })

  it('says when it was first seen, and ends with questions and answers', async () => {
    const page = await kari.open(`${base}/231777`)
    expect(factsOf(page)['First seen']).toBe(shownDate(new Date()))
    expect(
      page
        .$('main > .faq')
        .toArray()
        .map((faq) => page.$(faq).find('summary').text()),
    ).toEqual(['Which price package does a sales unit have?', 'How up to date is what I see?'])
    expect(page.$('main > .faq').last().nextAll()).toHaveLength(0)
    expect(page.$('dl.settings dt a').first().text()).toBe('Payments')
  })

  it('has messages for every documented setting and capture type', () => {
    for (const name of ['paymentAllowed', 'captureType', 'skipLandingPageAllowed', 'recurringAllowed'])
      expect(Object.keys(known)).toContain(name)
    expect(Object.keys(known)).toHaveLength(9)
    expect(Object.keys(values)).toEqual(['ReserveCapture', 'DirectCapture', 'NotApplicable'])
  })

  it('shows unknown settings and values unchanged, after the others', async () => {
    const page = await kari.open(`${base}/231777`)
    expect(factsOf(page)['Capture captureType']).toMatch(/^InstantCapture When the money is taken/)
    expect(factsOf(page)['tippingAllowed']).toMatch(/^Yes This setting is newer than the portal/)
    expect(wordsOf(page.$('dl.settings dt').last())).toBe('tippingAllowed')
  })

  it('shows a nested setting as JSON, and leaves out null', async () => {
    const { body } = unitOf('290001')
    const odd = { limits: { daily: 5 }, tries: 3, name: '<b>' }
    Object.assign(body, { configuration: { ...odd, ...body.configuration, lateCaptureAllowed: null } })
    await test.sync()
    const page = await mikko.open(`${sauna}/sales-units/290001`)
    const facts = factsOf(page)
    expect(wordsOf(page.$('dl.settings dt').first())).toBe('Payments paymentAllowed')
    expect(facts['limits']).toMatch(/^{"daily":5} /)
    expect(facts['tries']).toMatch(/^3 /)
    expect(facts['name']).toMatch(/^<b> /)
    expect(facts['Late capture lateCaptureAllowed']).toBeUndefined()
  })

  it('shows MSN, business identifier and settlement account', async () => {
    const { body } = unitOf('123456')
    body.settlementBankAccount = { scheme: 'BBAN:NO', id: '86011117947' }
    await test.sync()
    const page = await kari.open(`${base}/123456`)
    expect(page.words).toContain('Sales unit 123456')
    expect(factsOf(page)).toMatchObject({
      MSN: '123456',
      'Business identifier': 'NO 311 900 456',
      'Settlement account': `8601 11 17947 Where money from this sales unit is paid out.`,
    })
    expect(page.$('.facts abbr').attr('title')).toBe('Norwegian organisation number')
    expect(page.$('button[data-copy=123456]')).toHaveLength(1)
    expect(page.$('button[data-copy=86011117947]')).toHaveLength(1)
    const without = factsOf(await kari.open(`${base}/20481235`))
    expect(without).not.toHaveProperty('Settlement account')
  })

  it('says so when the API shares no settings', async () => {
    unitOf('290002').body.configuration = {}
    await test.sync()
    const page = await mikko.open(`${sauna}/sales-units/290002`)
    expect(page.words).toContain('The API shares no settings for this sales unit.')
    expect(page.$('dl.settings')).toHaveLength(0)
  })

  it('links to its merchant', async () => {
    await kari.open(`${base}/20481234`)
    const page = await kari.follow('Fjord Fitness & Spa AS')
    expect([page.status, page.url.pathname]).toEqual([200, '/partners/12345/merchants/business:NO:ORG/314550091'])
    expect(wordsOf(page.$('h1'))).toBe('Fjord Fitness & Spa AS Active')
  })

  it('links to the other sales units of its merchant with the same partner', async () => {
    const page = await kari.open(`${base}/123456`)
    expect(rowNamesOf(page)).toEqual(['Bergen Fitness Sentrum', 'Tromsø Fitness Nordlys'])
    const all = page.$('section[aria-labelledby=others] .related-title a')
    expect(wordsOf(all)).toBe('See all (3): The merchant’s other sales units')
    expect(rowsOf(await kari.open(String(all.attr('href'))))).toHaveLength(3)
    await kari.open(`${base}/123456`)
    expect((await kari.follow('Bergen Fitness Sentrum')).$('h1').text()).toBe('Bergen Fitness Sentrum')
    const alone = await kari.open(`${base}/140512`)
    expect(alone.words).toContain('No other sales unit of this merchant is connected to you.')
  })
})

/** The names of the merchant's other sales units, in their order. */
function rowNamesOf({ $ }: Visit): string[] {
  return $('section[aria-labelledby=others] tbody a.row-link')
    .toArray()
    .map((other) => wordsOf($(other)))
}

describe('a sales unit in the business portal', () => {
  it('links to the merchant and all its other sales units', async () => {
    const page = await mikko.open(`${sauna}/sales-units/290001`)
    expect(linksOf(page)).toMatchObject({
      'Saimaan Sauna Oy': `${sauna}/details`,
      'Savusauna Imatra': `${sauna}/sales-units/290002`,
    })
    expect(rowNamesOf(page)).toEqual(['Savusauna Imatra'])
  })

  it('says when it is the merchant’s only one', async () => {
    const åse = await test.signedIn('Åse Bjørk')
    const page = await åse.open('/merchants/business:NO:ORG/313402778/sales-units/140512')
    expect(page.$('h1').text()).toBe('Café "Ørsta"')
    expect(page.words).toContain('You have no other sales unit.')
  })
})

describe('a sales unit that is not shared', () => {
  it.each([
    ['was deactivated', '125000'],
    ['belongs to a merchant that was deactivated', '160404'],
    ['has no partner', '124999'],
    ['does not exist', '999999'],
  ])('because it %s is explained: %s', async (_what, msn) => {
    const page = await kari.open(`${base}/${msn}`)
    expect(page.status).toBe(404)
    expect(page.words).toContain('You do not have access to this sales unit')
    expect(page.words).toContain(msn)
    for (const reason of Object.values(messages.errors.salesUnitNotShared.reasons)) expect(page.words).toContain(reason)
    expect((await kari.follow('Go to the home page')).url.pathname).toBe('/partners/12345')
  })
})
