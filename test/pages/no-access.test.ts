import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { addGrant } from '../../src/store/grants.ts'
import type { Visit } from '../support/browser.ts'
import { fold, shownDate } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

/** Noon of the day in so many days. Access ends with a day in UTC, which in Oslo has ended already. */
function dayIn(days: number): Date {
  return new Date(new Date(Date.now() + days * 86_400_000).setUTCHours(12))
}

/** Address, subject and text of the first mail that the page links to. */
function mailOf({ $ }: Visit): [address: string, subject: string | null, text: string] {
  const { pathname, searchParams } = new URL(String($('main a[href^="mailto:"]').attr('href')))
  return [pathname, searchParams.get('subject'), fold(String(searchParams.get('body')))]
}

describe('a user who never had access', () => {
  it('copies user ID and e-mail address with one button, or sends them in a mail that is filled in', async () => {
    const freja = await test.signedIn('Freja Østergård')
    const page = await freja.open('/select')
    const id = test.userId('Freja Østergård')
    expect(page.$('h1').text()).toBe('You do not have access to any business yet')
    const both = page.$('main button:contains("Copy both")')
    expect(both.attr('data-copy')).toBe(`User ID: ${id}\nEmail address: freja.ostergard@ny.example`)
    expect(mailOf(page)).toEqual([
      'help@portal.example',
      'Access to the partner portal',
      `Hello! I would like access to this business: User ID: ${id} Email address: freja.ostergard@ny.example`,
    ])
    expect(page.words).toContain('Call us on Mondays.')
  })
})

describe('a user whose access has ended', () => {
  it('reads whose access it was and until when, instead of that there is none yet', async () => {
    const page = await (await test.signedIn('Eirik Dahl')).open('/select')
    expect(page.$('h1').text()).toBe('Your access to Nordlys Platform AS has ended')
    expect(page.words).toContain(
      `Eirik Dahl had access to Nordlys Platform AS until the end of ${shownDate(dayIn(-1))}.`,
    )
    expect(page.words).not.toMatch(/not have access to any business yet|Did you have access before/)
    expect(mailOf(page)[2]).toContain('My access to Nordlys Platform AS has ended, and I still need it.')
  })

  it('reads when the operator removed it', async () => {
    const ola = await test.signedIn('Ola Hansen')
    const removed = `The access of Ola Hansen to Nordlys Platform AS was removed on ${shownDate(new Date(), 'long')} at`
    const page = await ola.open('/select')
    expect(page.$('h1').text()).toBe('Your access to Nordlys Platform AS has ended')
    expect(page.words).toContain(removed)
    expect((await ola.open('/profile')).$('main .ended').text()).toContain(removed)
  })

  it('reads the same at a bookmark of that business, and a stranger reads 404', async () => {
    const path = '/partners/12345/sales-units/123456'
    const eirik = await (await test.signedIn('Eirik Dahl')).open(path)
    expect([eirik.status, eirik.$('h1').text()]).toEqual([403, 'Your access to Nordlys Platform AS has ended'])
    expect(eirik.words).toContain(
      `Eirik Dahl had access to Nordlys Platform AS until the end of ${shownDate(dayIn(-1))}.`,
    )
    expect(eirik.$('main a:contains("Check again")').attr('href')).toBe('/select')
    expect(eirik.$('aside')).toHaveLength(0)
    const ola = await (await test.signedIn('Ola Hansen')).open(path)
    expect([ola.status, ola.words]).toEqual([403, expect.stringContaining('The access of Ola Hansen to Nordlys')])
    for (const stranger of ['Freja Østergård', 'Liisa Korhonen']) {
      const there = await (await test.signedIn(stranger)).open(path)
      const nowhere = await (await test.signedIn(stranger)).open(path.replace('12345', '99999'))
      expect([there.status, there.$('main h1').text()]).toEqual([404, 'Page not found'])
      expect([nowhere.status, nowhere.$('main h1').text()]).toEqual([404, 'Page not found'])
    }
    const other = await (await test.signedIn('Eirik Dahl')).open('/partners/23456')
    expect(other.status).toBe(404)
  })

  it('to one of several businesses is led to the others', async () => {
    const { kysely } = test.portal.database
    const jonas = await test.signedIn('Jonas Berg')
    const [past] = [{ kind: 'partner', id: '12345' } as const]
    await addGrant(kysely, past, test.userId('Jonas Berg'), { until: '2026-01-31' })
    const page = await jonas.open('/partners/12345')
    expect(page.status).toBe(403)
    expect(page.$('main a:contains("See all businesses")').attr('href')).toBe('/select?all')
  })

  it('to several businesses reads of each, and of none that is in force again', async () => {
    const { kysely } = test.portal.database
    const [fjordkasse, nordlys] = ['23456', '12345'].map((id) => ({ kind: 'partner', id }) as const)
    const ola = await test.signedIn('Ola Hansen')
    if (!fjordkasse || !nordlys) throw new Error('no organisations')
    await addGrant(kysely, fjordkasse, test.userId('Ola Hansen'), { until: '2026-01-31' })
    const page = await ola.open('/select')
    expect(page.$('h1').text()).toBe('Your access has ended')
    expect(page.$('main .ended')).toHaveLength(2)
    expect(page.words).toContain('Ola Hansen had access to Fjordkasse & Sønner POS AS until the end of 31 Jan 2026.')
    await addGrant(kysely, nordlys, test.userId('Ola Hansen'))
    expect((await ola.open('/profile')).$('main .ended').text()).not.toContain('Nordlys')
  })
})

describe('access that ends within 14 days', () => {
  it('is announced on the profile, with what to do', async () => {
    const jonas = await test.signedIn('Jonas Berg')
    const words = `Your access to ACME Fantastic Fitness AS ends after ${shownDate(dayIn(7))}. If you need it for longer, ask your partner manager before that day.`
    const page = await jonas.open('/profile')
    expect(page.words).toContain(words)
    expect(mailOf(page)[1]).toBe('Access to ACME Fantastic Fitness AS')
  })

  it('is not announced to others', async () => {
    const kari = await test.signedIn('Kari Nordmann')
    await addGrant(test.portal.database.kysely, { kind: 'partner', id: '12345' }, test.userId('Kari Nordmann'), {
      role: 'developer',
      until: dayIn(20).toISOString().slice(0, 10),
    })
    expect((await kari.open('/profile')).words).not.toContain('Your access to')
  })
})
