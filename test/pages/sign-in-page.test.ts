import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

function noteOf({ $ }: Visit): string {
  return $('main .ds-alert').text().replace(/\s+/g, ' ').trim()
}

/** Ends all sessions in the database, as the retention does with those that have ended. */
async function endSessions(): Promise<void> {
  await test.portal.database.pool.query('delete from sessions')
}

/** Opens a page after the session has ended, which it did without use this many minutes ago. */
async function comeBack(browser: Browser, minutesAgo: number, path: string): Promise<Visit> {
  await endSessions()
  const ends = Number(browser.cookie('last-session'))
  browser.plant('last-session', String(ends - (30 + minutesAgo) * 60_000))
  return browser.open(path)
}

it('the page names the eIDs below its button, and says nothing of a session to a stranger', async () => {
  const page = await test.browser().open('/')
  expect(page.$('main .ds-button').next().text()).toBe('With BankID, MitID or FTN')
  expect(noteOf(page)).toBe('')
})

it('another language keeps where the sign-in leads', async () => {
  const browser = test.browser()
  await browser.open('/partners/12345/sales-units?q=a&size=50')
  const page = await browser.follow('Norsk')
  expect(noteOf(page)).toBe('Når du logger inn, kommer du tilbake til Salgssteder.')
  expect(page.$('a.ds-button').attr('href')).toBe(
    '/login?returnTo=%2Fpartners%2F12345%2Fsales-units%3Fq%3Da%26size%3D50',
  )
})

it('the page says that the user has signed out, also after the round trip to the eID', async () => {
  const browser = await test.signedIn('Kari Nordmann')
  await browser.open('/profile')
  await browser.press('Sign out')
  const page = await browser.press('Continue')
  expect([page.url.href, noteOf(page)]).toEqual([`${test.url}/`, 'You are signed out.'])
})

describe('after a session has ended', () => {
  it('the page says that nothing happened for 30 minutes, and where the sign-in leads', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await browser.open('/partners/12345/sales-units')
    expect(Math.abs(Number(browser.cookie('last-session')) - Date.now() - 30 * 60_000)).toBeLessThan(60_000)
    const page = await comeBack(browser, 1, '/partners/12345/sales-units/123456?from=x')
    expect(noteOf(page)).toBe(
      'You were signed out because nothing happened for 30 minutes. When you sign in, you will come back to Sales units.',
    )
    expect(page.text).not.toContain('Nordlys')
  })

  it('for another reason, the page does not blame the user', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await browser.open('/profile')
    await endSessions()
    expect(noteOf(await browser.open('/profile'))).toBe(
      'You have been signed out. When you sign in, you will come back to Profile.',
    )
  })

  it.each([
    ['/partners/12345', 'When you sign in, you will come back to Home.'],
    [
      '/merchants/business:NO:ORG/311900456/developers/webhooks?q=a',
      'When you sign in, you will come back to Webhooks.',
    ],
    ['/partners/12345/merchants/business:NO:ORG/1', 'When you sign in, you will come back to Merchants.'],
    ['/partners/12345/no/such', 'Sign in to see the page you asked for.'],
  ])('%s is named as in the menu', async (path, words) => {
    expect(noteOf(await test.browser().open(path))).toBe(words)
  })
})
