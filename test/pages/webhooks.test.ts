import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import { messages } from '../support/messages.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { type OrganisationReference, organisationKey } from '../../src/domain/organisation.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { chipsOf, headingsOf, inOrder, linksOf, readAll, rowsOf } from '../support/page-content.ts'

let test: TestPortal
let kari: Browser
let åse: Browser
beforeAll(async () => {
  const world = createDemoWorld({ salesUnits: 60 })
  const [first] = world.webhooks
  for (let number = 1; number <= 30; number += 1) {
    world.webhooks.push({
      registeredFor: 'partner/23456',
      body: { id: `many-${number}`, url: `https://many.example/${number}`, events: first?.body.events ?? [] },
    })
  }
  test = await startTestPortal({ world })
  kari = await test.signedIn('Kari Nordmann')
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const path = '/partners/12345/developers/webhooks'
const nordlys: OrganisationReference = { kind: 'partner', id: '12345' }
const acme: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '311900456' }
const cafe: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '313402778' }

/** An event as the page shows it: in words, if they are known, and as the API spells it. */
function inWords(event: string): string {
  const name = event.replace(/\.v\d$/, '').split('.')
  const found = name.reduce<unknown>(
    (tree, part) => (tree as Record<string, unknown> | undefined)?.[part],
    messages.webhooks.event,
  )
  return typeof found === 'string' ? `${found} ${event}` : event
}

/** The rows an organisation may see: its own webhooks and those of its sales units. */
function expectedFor(organisation: OrganisationReference): string[][] {
  const own = organisation.kind === 'partner' ? 'The partner' : 'The merchant'
  const names = new Map(
    visibleSalesUnits(test.world, organisation).map(({ body }) => [`msn/${body.msn}`, `${body.name} ${body.msn}`]),
  )
  names.set(organisationKey(organisation), `${own}, all sales units`)
  return test.world.webhooks.flatMap(({ registeredFor, body: { id, url, events } }) => {
    const owner = names.get(registeredFor)
    const [first, more] = [events.slice(0, 2), events.slice(2)].map((some) => some.map(inWords).join(''))
    const shown = more ? `${first}+${events.length - 2} more${more}` : String(first)
    return owner === undefined ? [] : [[`${url} ${id}`, shown, owner]]
  })
}

describe('the list', () => {
  it('shows the partner’s own webhooks first, then those of its sales units by MSN, with the owner', async () => {
    const page = await kari.open(path)
    expect(headingsOf(page)).toEqual(['URL', 'Events', 'Registered for'])
    expect(inOrder(rowsOf(page))).toEqual(inOrder(expectedFor(nordlys)))
    expect(rowsOf(page).map(([, , owner]) => owner?.startsWith('The partner'))).toEqual(
      Array.from({ length: 8 }, (_, index) => index < 3),
    )
    const msns = rowsOf(page).flatMap(([, , owner]) => /\d+$/.exec(owner ?? '')?.[0] ?? [])
    expect(msns).toHaveLength(5)
    expect(msns).toEqual(msns.toSorted())
    expect(page.words).toContain('8 webhooks')
    expect(linksOf(page)["Ole's Gym"]).toBe('/partners/12345/sales-units/231777')
    const [payments] = test.world.webhooks
    const row = page.$(`main tbody tr:contains("${payments?.body.id}")`)
    const events = row.find('li code').toArray()
    expect(events.map((event) => page.$(event).text())).toEqual(payments?.body.events)
  })

  it('shows a merchant its own webhooks and those of its sales units', async () => {
    const page = await åse.open('/merchants/business:NO:ORG/311900456/developers/webhooks')
    expect(rowsOf(page)).toHaveLength(3)
    expect(inOrder(rowsOf(page))).toEqual(inOrder(expectedFor(acme)))
  })

  it('shows each webhook once to a merchant with credentials for one sales unit', async () => {
    const page = await åse.open('/merchants/business:NO:ORG/313402778/developers/webhooks')
    expect(rowsOf(page)).toHaveLength(1)
    expect(rowsOf(page)).toEqual(expectedFor(cafe))
  })

  it('says that credentials for one sales unit know the webhooks of that one only', async () => {
    const words = 'The portal’s keys for this business are those of sales unit 140512. It can only know the webhooks of'
    const page = await åse.open('/merchants/business:NO:ORG/313402778/developers/webhooks')
    expect(page.$('main .ds-alert').text()).toContain(words)
    for (const other of [path, '/merchants/business:NO:ORG/311900456/developers/webhooks'])
      expect((await åse.open(other)).words).not.toContain('those of sales unit')
  })

  it('shows 25 rows a page', async () => {
    const pages = await readAll(åse, '/partners/23456/developers/webhooks')
    expect(pages.map(({ length }) => length)).toEqual([25, 9])
    expect(inOrder(pages.flat())).toEqual(inOrder(expectedFor({ kind: 'partner', id: '23456' })))
  })

  it('explains to a partner without webhooks where they come from', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567/developers/webhooks')
    expect(page.words).toContain('No webhooks registered')
    expect(page.$('main table, main .tools')).toHaveLength(0)
  })
})

it('the list begins with webhooks that cannot work, and says why and that it does', async () => {
  const world = createDemoWorld({ salesUnits: 1 })
  const events = ['user.checked-in.v1']
  world.webhooks.push(
    { registeredFor: 'msn/123456', body: { id: 'without-events', url: 'https://acme.example/none', events: [] } },
    { registeredFor: 'msn/123456', body: { id: 'unsafe', url: 'http://acme.example/', events } },
    { registeredFor: 'partner/12345', body: { id: 'fine', url: 'https://aaa.example/', events } },
  )
  const other = await startTestPortal({ world })
  try {
    const browser = await other.signedIn('Kari Nordmann')
    const page = await browser.open(path)
    const urlsOf = (visit: typeof page) => rowsOf(visit).map(([url]) => url)
    expect(urlsOf(page).slice(0, 3)).toEqual([
      'http://acme.example/ Not HTTPS unsafe',
      'https://acme.example/none No events without-events',
      'https://aaa.example/ fine',
    ])
    expect(page.$('#sort option:selected').text()).toBe('Problems first')
    expect(page.words).toContain('11 webhooks · Problems come first, then those for all sales units.')
    expect(urlsOf(await browser.open(`${path}?sort=owner`))[0]).toBe('https://aaa.example/ fine')
  } finally {
    await other.stop()
  }
})

describe('the filter', () => {
  it.each([
    ['a part of the URL', 'hooks.nordlys', 2],
    ['the URL in capital letters', 'HTTPS://OLES-GYM.EXAMPLE', 1],
    ['a parameter of the URL', '?env=prod&team=', 1],
  ])('finds by %s: %s', async (_what, q, count) => {
    const page = await kari.open(`${path}?q=${encodeURIComponent(q)}`)
    const expected = expectedFor(nordlys).filter(([url]) => url?.toLowerCase().includes(q.toLowerCase()))
    expect(inOrder(rowsOf(page))).toEqual(inOrder(expected))
    expect(rowsOf(page)).toHaveLength(count)
    expect(page.words).toContain(`${count} ${count === 1 ? 'webhook matches' : 'webhooks match'} “${q}”`)
    expect(page.$('#q').val()).toBe(q)
  })

  it('finds by ID or a part of it', async () => {
    const id = test.world.webhooks.find(({ registeredFor }) => registeredFor === 'msn/231777')?.body.id ?? ''
    for (const q of [id, id.toUpperCase(), id.slice(4, 20)]) {
      const page = await kari.open(`${path}?q=${q}`)
      expect(rowsOf(page)).toHaveLength(1)
      expect(rowsOf(page)[0]?.[0]).toContain('https://oles-gym.example/hook')
    }
  })

  it('is by event and by owner, with counts of what there is', async () => {
    const rows = expectedFor(nordlys)
    const page = await kari.open(path)
    const captured = 'epayments.payment.captured.v1'
    const of = (event: string) =>
      test.world.webhooks.filter(
        ({ registeredFor, body }) => registeredFor !== 'partner/23456' && body.events.includes(event),
      )
    const options = page.$('#event label, #owner label').toArray()
    const texts = options.map((option) => page.$(option).text().replace(/\s+/g, ' ').trim())
    expect(texts).toContain(
      `Payment captured – ${captured} ${rowsOf(await kari.open(`${path}?event=${captured}`)).length}`,
    )
    expect(texts).toContain('The partner, all sales units 3')
    expect(texts).toContain('Single sales units 5')
    const some = await kari.open(`${path}?event=${captured}`)
    expect(rowsOf(some).length).toBeGreaterThan(1)
    expect(rowsOf(some).length).toBeLessThan(rows.length)
    const urls = new Set(of(captured).map(({ body }) => body.url))
    for (const [url] of rowsOf(some)) expect(urls).toContain(String(url).split(' ')[0])
    expect(Object.keys(chipsOf(some))).toEqual([`Event: Payment captured – ${captured}`])
    const own = rowsOf(await kari.open(`${path}?owner=own`))
    expect(own.map(([, , owner]) => owner)).toEqual(Array.from({ length: 3 }, () => 'The partner, all sales units'))
    expect(rowsOf(await kari.open(`${path}?owner=units`))).toHaveLength(5)
    expect(rowsOf(await kari.open(`${path}?owner=units&event=no.such.event`))).toEqual([])
  })

  it('does not search events and owners', async () => {
    for (const q of ['captured', "Ole's Gym", '231777']) expect(rowsOf(await kari.open(`${path}?q=${q}`))).toEqual([])
  })

  it('is kept on all pages', async () => {
    const page = await åse.open('/partners/23456/developers/webhooks?q=many.example')
    expect(page.words).toContain('30 webhooks match “many.example”')
    expect(linksOf(page)['Next']).toBe('?q=many.example&page=2')
  })

  it('says that nothing matches, and can be cleared', async () => {
    const page = await kari.open(`${path}?q=nowhere`)
    expect(page.words).toContain('No webhook matches “nowhere”')
    expect(rowsOf(await kari.follow('Clear search and filters'))).toHaveLength(8)
  })
})

it('the list sorts by URL in both directions', async () => {
  const urls = rowsOf(await kari.open(`${path}?by=url`)).map(([url]) => String(url).split(' ')[0] ?? '')
  expect(urls).toEqual(urls.toSorted())
  expect(urls).toHaveLength(8)
  const turned = rowsOf(await kari.open(`${path}?by=-url`)).map(([url]) => String(url).split(' ')[0] ?? '')
  expect(turned).toEqual(urls.toReversed())
})

it('the page says which webhooks have gone, and why they may have', async () => {
  const place = test.world.webhooks.findIndex(({ body }) => body.url === 'https://backup.nordlys.example/in')
  const [gone] = test.world.webhooks.splice(place, 1)
  await test.sync()
  // Hidden and told only once a second read confirms a list that lost so much.
  await expect
    .poll(
      async () => {
        await test.sync()
        return (await kari.open(path)).words
      },
      { timeout: 15_000 },
    )
    .toContain(`One webhook has disappeared in the last 30 days: ${gone?.body.url} on `)
  expect((await kari.open(path)).words).toContain('whose endpoint has not answered for two weeks')
})

it('the page says when an owner has almost as many webhooks of one event as there can be', async () => {
  const page = await åse.open('/partners/23456/developers/webhooks')
  expect(page.words).toContain(
    'The partner, all sales units: 31 of at most 25 webhooks for epayments.payment.created.v1.',
  )
  expect((await kari.open(path)).words).not.toContain('of at most 25')
})
