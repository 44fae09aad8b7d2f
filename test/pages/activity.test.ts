import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import { createDemoWorld } from '../../demo/world.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { wordsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const page = '/partners/12345/activity'

let test: TestPortal
let developer: Browser
let viewer: Browser
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 260 }) })
  developer = await test.signedIn('Åse Bjørk')
  viewer = await test.signedIn('Nora Lie')
})
afterAll(async () => test.stop())

/** The entries of a page: their words without the time, and the number of their changes. */
function entriesOf({ $ }: Visit): { words: string; count: number; href: string | undefined }[] {
  return $('.entry')
    .toArray()
    .map((entry) => ({
      words: wordsOf($(entry)).replace(/^\d\d:\d\d /, ''),
      count: Number($(entry).attr('data-count')),
      href: $(entry).find('div a').attr('href'),
    }))
}

/** Where a link leads; some are relative to the page. */
function hrefOf({ $, url }: Visit, link: Parameters<Visit['$']>[0]): string {
  const { pathname, search } = new URL(String($(link as never).attr('href')), url)
  return pathname + search
}

/** What stands beside the days. */
function changesOfDays({ $ }: Visit): string[] {
  return $('.day .related-title span')
    .toArray()
    .map((number) => wordsOf($(number)))
}

function wordsIn(visit: Visit): string[] {
  return entriesOf(visit).map(({ words }) => words)
}

function totalOf(visit: Visit): number {
  return entriesOf(visit).reduce((sum, { count }) => sum + count, 0)
}

function unit(msn: string) {
  const found = test.world.salesUnits.find(({ body }) => body.msn === msn)
  if (!found) throw new Error(`no sales unit ${msn}`)
  return found
}

it('a list that is written in several transactions is one group', async () => {
  const first = await developer.open('/partners/23456/activity?resource=salesUnit&kind=added')
  const units = visibleSalesUnits(test.world, { kind: 'partner', id: '23456' }).length
  expect(units).toBeGreaterThan(250)
  expect(entriesOf(first)).toHaveLength(1)
  expect(entriesOf(first)[0]).toMatchObject({
    count: units,
    words: expect.stringContaining(`${units} new sales units`) as string,
  })
  const merchants = await developer.open('/partners/23456/activity?resource=merchant&kind=added')
  expect(entriesOf(merchants).length).toBeLessThan(totalOf(merchants) / 2)
  const opened = await developer.open(String(first.$('.entry details li:last-child a').attr('href')))
  expect(opened.$('.entry')).toHaveLength(50)
  expect(opened.$('.chips').text()).toContain('Changes on')
  const older = await developer.open(String(opened.$('a[rel=next]').attr('href')))
  expect(older.$('.entry')).toHaveLength(50)
  expect(wordsIn(older)).not.toContain(wordsIn(opened)[0])
  expect(changesOfDays(older)).toEqual([`${units} changes`])
  const back = await developer.open(String(older.$('a[rel=prev]').attr('href')))
  expect(wordsIn(back)).toEqual(wordsIn(opened))
  expect(back.$('a[rel=prev]')).toHaveLength(0)
})

it('says what changed in words, with a link to the thing', async () => {
  const order = test.world.productOrders.find(
    ({ partnerId, body }) => partnerId === '12345' && body.status === 'MERCHANT_VIEWED',
  )
  const [unopened, held] = test.world.productOrders.filter(
    ({ partnerId, body }) => partnerId === '12345' && body.status === 'RECEIVED' && body.productOrderType === 'PREFILL',
  )
  if (!order || !unopened || !held) throw new Error('no viewed order, or too few that are not opened')
  order.body.status = 'ORDER_SUBMITTED'
  unopened.body.status = 'EXPIRED'
  held.body.status = 'ON_HOLD'
  const template = test.world.templates.find(({ partnerId }) => partnerId === '12345')
  if (template) template.body.lockedFields = ['businessIdentifier', 'website']
  unit('123456').body.configuration['captureType'] = 'DirectCapture'
  unit('230002').active = false
  await test.sync()
  const shown = await developer.open(page)
  const words = wordsIn(shown)
  expect(words).toContainEqual(
    expect.stringMatching(/^Product order .+ for .+ was submitted Viewed by merchant → Submitted$/),
  )
  expect(words).toContainEqual(expect.stringMatching(/ expired Not opened yet → Expired$/))
  // The sentence does not say a status that is newer than the portal.
  expect(words).toContainEqual(expect.stringMatching(/ was changed Status: Not opened yet → On hold \(ON_HOLD\)$/))
  expect(words).toContain(
    'Sales unit ACME Fantastic Fitness 123456 was changed Capture: Reserve, capture later → Direct capture',
  )
  expect(words).toContainEqual(expect.stringMatching(/ Locked fields: .+ → business identifier, website$/))
  expect(words).toContain('Sales unit København Fitness Nørrebro 230002 is no longer available')
  const { href } = entriesOf(shown).find((entry) => entry.words.includes('was submitted')) ?? {}
  expect((await developer.open(String(href))).words).toContain(order.body.productOrderId)
  expect(shown.$('.day h2').first().text()).toMatch(/^Today, \w+day \d/)
  expect(changesOfDays(shown)).toEqual([`${totalOf(shown)} changes`])
})

it('calls no day today but today, whatever the clock of the database says', async () => {
  await test.portal.database.pool.query(
    `insert into changes (organisation, at, moment, resource, key, kind, alike, for_viewers, fields)
     select 'merchant/business:FI:Y-tunnus/9234567-8', later, later, 'salesUnit', '1', 'added', 1, true, '{}'
     from (select now() + interval '3 days' as later) given`,
  )
  const mikko = await test.signedIn('Mikko Mäkinen')
  const shown = await mikko.open('/merchants/business:FI:Y-tunnus/9234567-8/activity')
  expect(shown.$('.day h2').first().text()).toMatch(/^\w+day,? \d/)
})

describe('filters', () => {
  it.each([
    ['resource=merchant', /^Merchant /],
    ['kind=removed', /no longer available/],
    ['status=ORDER_SUBMITTED', /Product order/],
    ['q=F%C3%98RSTA+ikke', /^$/],
    ['q=230002', /230002|Københavns/],
    ['q=caf%C3%A9+%22%C3%B8rsta', /Café "Ørsta"/],
    ['kind=removed&q=n%C3%B8rrebro', /Nørrebro/],
  ])('%s shows only these, and counts them', async (query, pattern) => {
    const shown = await developer.open(`${page}?${query}`)
    for (const words of wordsIn(shown)) expect(words).toMatch(pattern)
    expect(Number(shown.$('#found').text().split(' ')[0])).toBe(totalOf(shown))
  })

  it('the number of each tab is the number of its changes', async () => {
    const all = await developer.open(`${page}?size=100`)
    const tabs = all.$('.status-tabs a').toArray()
    expect(tabs.length).toBe(7)
    for (const tab of tabs) {
      const shown = await developer.open(hrefOf(all, tab))
      expect([wordsOf(all.$(tab)), totalOf(shown)]).toEqual([
        wordsOf(all.$(tab)),
        Number(all.$(tab).find('.count').text()),
      ])
    }
  })

  it('a period selects by day', async () => {
    const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' }).format(new Date())
    const every = totalOf(await developer.open(page))
    expect(totalOf(await developer.open(`${page}?from=${today}&until=${today}`))).toBe(every)
    const before = await developer.open(`${page}?until=2020-01-01`)
    expect(before.words).toContain('No changes match your filters')
    expect(before.$('.chips').text()).toContain('To: 1 Jan 2020')
  })

  it.each(['from=2026-02-31', 'since=yesterday', 'group=1', 'before=x', 'kind=lost', 'size=7', 'before=1_1_1_1'])(
    'refuses %s',
    async (query) => {
      expect((await developer.open(`${page}?${query}`)).status).toBe(400)
    },
  )
})

describe('a viewer', () => {
  it('sees no change of webhooks or unknown members, nor counts it', async () => {
    const before = await viewer.open(page)
    const [{ body: webhook } = { body: { events: [] as string[] } }] = test.world.webhooks
    webhook.events = ['user.checked-in.v1']
    Object.assign(unit('123456').body, { ownerName: 'Private Owner' })
    await test.sync()
    const after = await viewer.open(page)
    expect(wordsIn(after)).toEqual(wordsIn(before))
    expect(after.$('.status-tabs').text()).toBe(before.$('.status-tabs').text())
    expect(after.$('main').text()).not.toMatch(/webhook|Private Owner/i)
    const whole = await developer.open(page)
    expect(whole.words).toContain('Private Owner')
    expect(whole.words).toContain('Events:')
  })

  it('cannot ask for webhooks', async () => {
    expect((await viewer.open(`${page}?resource=webhook`)).status).toBe(400)
  })
})

it('downloads a row for each change and field', async () => {
  const csv = await developer.open(`${page}.csv?q=123456`)
  const lines = csv.text.trim().split('\r\n')
  expect(lines[0]).toContain('"Time (Oslo)","Record","Name","ID","Change","Field","Before","After"')
  expect(lines).toContainEqual(
    expect.stringContaining(
      '"Sales unit","ACME Fantastic Fitness","123456","Changed","Capture","Reserve, capture later","Direct capture"',
    ),
  )
  expect((await viewer.open(`${page}.csv`)).text).not.toMatch(/webhook|Private Owner/i)
})

describe('since the last visit', () => {
  it('Home has numbers that open exactly those changes, and the line of the last visit stands in the list', async () => {
    expect((await developer.open('/partners/12345')).$('#since')).toHaveLength(0)
    const { kysely } = test.portal.database
    const at = new Date()
    await kysely.updateTable('visits').set({ last_visit_at: at }).where('organisation', '=', 'partner/12345').execute()
    unit('28124').active = false
    const order = test.world.productOrders.find(
      ({ partnerId, body }) => partnerId === '12345' && body.status === 'ORDER_SUBMITTED',
    )
    if (order) order.body.status = 'REJECTED'
    await test.sync()
    const home = await developer.open('/partners/12345')
    const numbers = home.$('.strip a').toArray()
    expect(numbers.map((number) => wordsOf(home.$(number)))).toEqual([
      '1 order rejected',
      '1 sales unit no longer available',
    ])
    for (const number of numbers) {
      const shown = await developer.open(String(home.$(number).attr('href')))
      expect(totalOf(shown)).toBe(Number(home.$(number).find('strong').text()))
      expect(shown.$('.chips').text()).toContain('Since your last visit')
    }
    expect((await developer.open(page)).$('.visit').text()).toContain('Your last visit: ')
  })

  it('a visit ends after half an hour without a page', async () => {
    const { kysely } = test.portal.database
    const seen = new Date(Date.now() - 31 * 60_000)
    await kysely.updateTable('visits').set({ seen_at: seen }).where('organisation', '=', 'partner/12345').execute()
    const home = await developer.open('/partners/12345')
    const query = new URL(String(home.$('.strip a').attr('href')), home.url).searchParams
    expect(query.get('since')).toBe(seen.toISOString())
  })
})

it('the business portal shows the merchant’s own changes', async () => {
  const shown = await developer.open('/merchants/business:NO:ORG/311900456/activity')
  expect(wordsIn(shown)).toContainEqual(expect.stringContaining('sales units'))
  expect(shown.$('.status-tabs').text()).not.toContain('Product orders')
})
