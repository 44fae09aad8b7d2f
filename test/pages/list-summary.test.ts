import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { rowsOf, wordsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

const partner = '/partners/12345'

describe('above its rows a list says how many there are', () => {
  it.each([
    ['product-orders', '38 product orders'],
    ['product-orders?product=CHECKOUT', '9 of 38 product orders'],
    ['merchants?market=DK', '8 of 32 merchants'],
    ['sales-units?market=DK', '3 of 12 sales units'],
    ['templates?product=CHECKOUT', '1 of 5 templates'],
    ['price-packages?market=DK', '2 of 8 price packages'],
    ['price-packages?market=DK&q=none', '0 of 8 price packages match'],
    ['developers/webhooks', '8 webhooks'],
    // How many webhooks there are in all is not known.
    ['developers/webhooks?owner=own', '3 webhooks'],
    ['activity?kind=returned', '0 changes'],
  ])('%s: %s', async (path, text) => {
    const { $ } = await kari.open(`${partner}/${path}`)
    expect(wordsOf($('#found'))).toContain(text)
  })

  it.each(['en', 'nb', 'da', 'sv', 'fi'])('with the number of rows that it has, in %s', async (language) => {
    const browser = await test.signedIn('Kari Nordmann')
    await browser.open(`/language/${language}`)
    for (const path of [
      'product-orders?type=MANUAL',
      'merchants?units=few',
      'sales-units?market=FI',
      'templates?product=LOGIN',
      'price-packages?market=FI',
      'developers/webhooks?owner=units',
      'developers/webhooks?q=fitness',
    ]) {
      const page = await browser.open(`${partner}/${path}`)
      const [number] = /\d+/.exec(wordsOf(page.$('#found'))) ?? []
      expect([path, Number(number)]).toEqual([path, rowsOf(page).length])
    }
  })
})
