import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

/** The ways on: text and target of each link of the page's actions. */
function waysOf({ $ }: Visit): Record<string, string> {
  const links = $('main .actions a').toArray()
  return Object.fromEntries(links.map((link) => [$(link).text(), String($(link).attr('href'))]))
}

const home = { 'Go to the home page': '/partners/12345' }

it.each([
  ['a sales unit', '/sales-units/9999999', '9999999', { 'Sales units': '/partners/12345/sales-units' }],
  [
    'a merchant',
    '/merchants/business:NO:ORG/999999999',
    'business:NO:ORG:999999999',
    { Merchants: '/partners/12345/merchants' },
  ],
  [
    'a malformed order ID',
    '/product-orders/1234-abc',
    '1234-abc',
    { 'Product orders': '/partners/12345/product-orders' },
  ],
  ['a page that is not there', '/no/such/page', '', {}],
])('the page for %s has the nearest list, and a field with what was looked for', async (_what, path, asked, list) => {
  const kari = await test.signedIn('Kari Nordmann')
  const page = await kari.open(`/partners/12345${path}`)
  expect(page.status).toBe(404)
  expect(page.$('main form.ask input[name=q]').val()).toBe(asked)
  expect(waysOf(page)).toEqual({ ...list, ...home })
})

it('every page has the contact, with the reference in a mail that is filled in, and to copy', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  for (const path of ['/partners/12345/sales-units?page=x', '/partners/99999', '/auth/callback?state=x&code=y']) {
    const page = await kari.open(path)
    expect(page.words).toContain('Call us on Mondays.')
    const reference = page.$('.reference code').text()
    expect(page.$('.reference button').attr('data-copy')).toBe(reference)
    const mail = new URL(String(page.$('main .contact a').attr('href')))
    expect([mail.pathname, mail.searchParams.get('subject')]).toEqual([
      'help@portal.example',
      `Problem in the portal, reference ${reference}`,
    ])
    expect(mail.searchParams.get('body')).toContain(`I saw this page: ${page.$('h1').text()}`)
    expect(Object.keys(waysOf(page)).length).toBeGreaterThan(0)
  }
})

it('an old form leads back to its page', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  await kari.open('/select?all')
  kari.with({ referer: `${test.url}/profile?returnTo=%2Fpartners%2F12345` })
  const page = await kari.post('/profile/sessions/revoke', { _csrf: 'old', session: 'others' })
  expect([page.status, page.$('h1').text()]).toEqual([403, 'This form is no longer valid'])
  expect(waysOf(page)).toEqual({
    'Open the page again': '/profile?returnTo=%2Fpartners%2F12345',
    'Go to the home page': '/select',
  })
})
