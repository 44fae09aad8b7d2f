import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addGrant, removeGrant } from '../../src/store/grants.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { linksOf, wordsOf } from '../support/page-content.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())

const all = {
  'Nordlys Platform AS Partner 12345': '/partners/12345',
  'Fjordkasse & Sønner POS AS Partner 23456': '/partners/23456',
  'ACME Fantastic Fitness AS NO 311 900 456': '/merchants/business:NO:ORG/311900456',
  'Café "Ørsta" AS NO 313 402 778': '/merchants/business:NO:ORG/313402778',
}

describe('the selection of an organisation', () => {
  it('follows the sign-in and lists every partner and merchant of the user', async () => {
    const åse = test.browser()
    const page = await åse.signIn('Åse Bjørk')
    expect(page.url.pathname).toBe('/select')
    expect(page.$('h1').text()).toBe('Select your option')
    expect(linksOf(page)).toEqual(all)
    const sections = page
      .$('main h2')
      .toArray()
      .map((heading) => page.$(heading).text())
    expect(sections).toEqual(['Partners', 'Merchants'])
    expect(page.$('.side')).toHaveLength(0)
    expect((await åse.follow('Ørsta')).url.pathname).toBe('/merchants/business:NO:ORG/313402778')
  })

  it.each([
    ['the partner portal', '/partners/23456/product-orders', 'See all businesses'],
    ['the business portal', '/merchants/business:NO:ORG/311900456/details', 'See more businesses'],
  ])('is linked from the company name in the side bar of %s', async (_which, from, words) => {
    const åse = await test.signedIn('Åse Bjørk')
    const page = await åse.open(from)
    const name = page.$('.side .switch strong').text()
    expect(Object.keys(all).some((entry) => entry.startsWith(name))).toBe(true)
    expect(wordsOf(page.$('#switcher > a'))).toBe(`${words} ${Object.keys(all).length}`)
    const select = await åse.follow(words)
    expect([select.status, select.url.pathname]).toEqual([200, '/select'])
    expect(linksOf(select)).toEqual(all)
  })

  it('is skipped for a user with one organisation, except with ?all', async () => {
    const kari = test.browser()
    expect((await kari.signIn('Kari Nordmann')).url.pathname).toBe('/partners/12345')
    expect((await kari.open('/')).url.pathname).toBe('/partners/12345')
    const select = await kari.follow('See all businesses')
    expect(select.url.pathname).toBe('/select')
    expect(linksOf(select)).toEqual({ 'Nordlys Platform AS Partner 12345': '/partners/12345' })
    expect(select.words).not.toContain('Merchants')
  })

  it('redirects a merchant user to the business portal', async () => {
    const page = await test.browser().signIn('Mikko Mäkinen')
    expect(page.url.pathname).toBe('/merchants/business:FI:Y-tunnus/9234567-8')
  })
})

describe('a user without access', () => {
  it.each(['Freja Østergård', 'Ola Hansen'])('%s sees the steps to get access', async (name) => {
    const page = await test.browser().signIn(name)
    expect(page.words).toContain('You do not have access to any business yet')
    expect(page.$('ol.steps > li')).toHaveLength(4)
    expect(page.$('#user-id').text()).toBe(test.userId(name))
    expect(page.$('ol.steps').text()).toMatch(/Send it, with your e-mail address \S+@\S+\.example, to/)
    expect(page.words).toContain('Did you have access before?')
    expect(page.$('main form[action="/logout"] button').text()).toBe('Sign out')
  })

  it('gets and loses access as soon as the operator grants and revokes it', async () => {
    const freja = await test.signedIn('Freja Østergård')
    const { kysely } = test.portal.database
    const sauna = { kind: 'merchant', scheme: 'business:FI:Y-tunnus', id: '9234567-8' } as const
    await freja.open('/select')
    await addGrant(kysely, sauna, test.userId('Freja Østergård'))
    const page = await freja.follow('Look again')
    expect(page.url.pathname).toBe('/merchants/business:FI:Y-tunnus/9234567-8')
    await removeGrant(kysely, sauna, test.userId('Freja Østergård'))
    expect((await freja.open(page.url.pathname)).status).toBe(404)
    expect((await freja.open('/select')).words).toContain('You do not have access to any business yet')
  })
})
