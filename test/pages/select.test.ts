import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { addGrant, removeGrant } from '../../src/store/grants.ts'
import type { Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { wordsOf } from '../support/page-content.ts'

let test: TestPortal
beforeAll(async () => {
  const world = createDemoWorld({ salesUnits: 60 })
  world.organisations.push({
    organisation: { kind: 'partner', id: '45678', name: 'Ærlig Betaling AS' },
    keys: { type: 'management', clientId: randomUUID(), clientSecret: 'secret-of-a-test' },
  })
  test = await startTestPortal({ world })
})
afterAll(async () => test.stop())

/** The cards by section: the path of each, with its lines. */
function cardsOf({ $ }: Visit): Record<string, Record<string, readonly string[]>> {
  const linesOf = (card: ReturnType<Visit['$']>) =>
    card
      .find('strong, small')
      .toArray()
      .map((line) => wordsOf($(line)))
  return Object.fromEntries(
    $('main section')
      .toArray()
      .map((section) => [
        wordsOf($(section).find('h2')),
        Object.fromEntries(
          $(section)
            .find('a')
            .toArray()
            .map((card) => [String($(card).attr('href')), linesOf($(card))]),
        ),
      ]),
  )
}

function pathsOf(page: Visit): string[] {
  return Object.values(cardsOf(page)).flatMap((section) => Object.keys(section))
}

const acme = '/merchants/business:NO:ORG/311900456'
const cafe = '/merchants/business:NO:ORG/313402778'

describe('the selection of an organisation', () => {
  it('follows the sign-in and says of every partner and merchant what there is to know', async () => {
    const åse = test.browser()
    const page = await åse.signIn('Åse Bjørk')
    expect(page.url.pathname).toBe('/select')
    expect(page.$('h1').text()).toBe('Choose a business')
    const units = (path: string) => expect.stringMatching(new RegExp(`^${path} sales units?$`))
    expect(cardsOf(page)).toEqual({
      Partners: {
        '/partners/23456': [
          'Fjordkasse & Sønner POS AS',
          'Partner 23456',
          expect.stringMatching(/^\d+ orders wait for their merchants$/),
          '60 sales units',
        ],
        '/partners/12345': [
          'Nordlys Platform AS',
          'Partner 12345',
          expect.stringMatching(/^\d+ orders wait for their merchants$/),
          '12 sales units',
        ],
      },
      Merchants: {
        [acme]: ['ACME Fantastic Fitness AS', 'NO 311 900 456', units(String.raw`\d+`)],
        [cafe]: ['Café "Ørsta" AS', 'NO 313 402 778', '1 sales unit'],
      },
    })
    const waiting = /^\d+/.exec(cardsOf(page)['Partners']?.['/partners/12345']?.[2] ?? '')?.[0]
    const list = await åse.open('/partners/12345/product-orders?waiting=1')
    expect(wordsOf(list.$('#found'))).toContain(`${waiting} of `)
    expect(page.$('main .avatar').first().text()).toBe('FS')
    expect(page.$('.side')).toHaveLength(0)
    expect(page.$('main form')).toHaveLength(0)
    expect((await åse.follow('Ørsta')).url.pathname).toBe(cafe)
  })

  it('has those on top that the user used last, and says when', async () => {
    const åse = await test.signedIn('Åse Bjørk')
    const { pool } = test.portal.database
    const id = test.userId('Åse Bjørk')
    await pool.query('delete from visits where user_id = $1', [id])
    await pool.query(
      `insert into visits (user_id, organisation, seen_at)
       values ($1, 'partner/12345', now() - interval '1 minute'), ($1, 'partner/23456', now() - interval '9 days'),
         ($1, 'merchant/business:NO:ORG/313402778', '2026-01-15T11:00Z')`,
      [id],
    )
    const page = await åse.open('/select')
    expect(pathsOf(page)).toEqual(['/partners/12345', '/partners/23456', cafe, acme])
    expect(cardsOf(page)['Merchants']?.[cafe]).toContain('Last used: 15 Jan 2026')
    expect(cardsOf(page)['Partners']?.['/partners/12345']?.join()).toContain('Last used: ')
  })

  it('has a field to find one from eight businesses on, which works without JavaScript', async () => {
    const { kysely } = test.portal.database
    const id = test.userId('Nora Lie')
    const nora = await test.signedIn('Nora Lie')
    const until = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10)
    for (const { organisation } of test.world.organisations)
      await addGrant(kysely, organisation, id, {
        role: 'viewer',
        until: organisation.kind === 'merchant' && organisation.id === '311900456' ? until : null,
      })
    await kysely
      .updateTable('sync_state')
      .set({ failing_since: new Date('2026-01-15T11:00Z') })
      .where('organisation', '=', 'partner/45678')
      .where('key', '=', '')
      .execute()
    const page = await nora.open('/select')
    expect(pathsOf(page)).toHaveLength(8)
    expect(page.$('main input[name=q]').attr('aria-label')).toBe('Find a business')
    expect(cardsOf(page)['Partners']?.['/partners/45678']?.join()).toMatch(
      /Ærlig Betaling AS,Partner 45678,Not updated since 15 January 2026 .*,Can view everything except Developers/,
    )
    expect(page.$(`main a[href="${acme}"] small.soon`).text()).toMatch(/^Until the end of \d+ \w+ \d{4}$/)
    const found = async (q: string) => pathsOf(await nora.open(`/select?all=&q=${encodeURIComponent(q)}`))
    expect(await found('aerlig')).toEqual(['/partners/45678'])
    expect(await found('313 402 778')).toEqual([cafe])
    const none = await nora.open('/select?all=&q=nothing+like+it')
    expect(none.words).toContain('No business matches “nothing like it”.')
    expect(pathsOf(await nora.follow('See all businesses'))).toHaveLength(8)
    for (const { organisation } of test.world.organisations)
      if (!('id' in organisation && organisation.id === '12345')) await removeGrant(kysely, organisation, id)
  })

  it.each([
    ['the partner portal', '/partners/23456/product-orders', 'See all businesses'],
    ['the business portal', `${acme}/details`, 'See more businesses'],
  ])('is linked from the company name in the side bar of %s', async (_which, from, words) => {
    const åse = await test.signedIn('Åse Bjørk')
    const page = await åse.open(from)
    expect(wordsOf(page.$('#switcher > a'))).toBe(`${words} 4`)
    const select = await åse.follow(words)
    expect([select.status, select.url.pathname]).toEqual([200, '/select'])
    expect(pathsOf(select)).toHaveLength(4)
    expect(
      select
        .$('main strong')
        .toArray()
        .map((name) => select.$(name).text()),
    ).toContain(page.$('.side .switch strong').text())
  })

  it('is skipped for a user with one organisation, except with ?all', async () => {
    const kari = test.browser()
    expect((await kari.signIn('Kari Nordmann')).url.pathname).toBe('/partners/12345')
    expect((await kari.open('/')).url.pathname).toBe('/partners/12345')
    const select = await kari.follow('See all businesses')
    expect(select.url.pathname).toBe('/select')
    expect(pathsOf(select)).toEqual(['/partners/12345'])
    expect(select.words).not.toContain('Merchants')
  })

  it('redirects a merchant user to the business portal', async () => {
    const page = await test.browser().signIn('Mikko Mäkinen')
    expect(page.url.pathname).toBe('/merchants/business:FI:Y-tunnus/9234567-8')
  })
})

describe('a user without access', () => {
  it('that never had any sees the steps to get it', async () => {
    const name = 'Freja Østergård'
    const page = await test.browser().signIn(name)
    expect(page.words).toContain('You do not have access to any business yet')
    expect(page.$('ol.steps > li')).toHaveLength(4)
    expect(page.$('#user-id').text()).toBe(test.userId(name))
    expect(page.$('ol.steps').text()).toMatch(/Send it and your email address, \S+@\S+\.example, to/)
    expect(page.words).toContain('If you had access before, it has expired or been removed.')
    expect(page.$('main form[action="/logout"] button').text()).toBe('Sign out')
  })

  it('gets and loses access as soon as the operator grants and revokes it', async () => {
    const freja = await test.signedIn('Freja Østergård')
    const { kysely } = test.portal.database
    const sauna = { kind: 'merchant', scheme: 'business:FI:Y-tunnus', id: '9234567-8' } as const
    await freja.open('/select')
    await addGrant(kysely, sauna, test.userId('Freja Østergård'))
    const page = await freja.follow('Check again')
    expect(page.url.pathname).toBe('/merchants/business:FI:Y-tunnus/9234567-8')
    await removeGrant(kysely, sauna, test.userId('Freja Østergård'))
    expect((await freja.open(page.url.pathname)).status).toBe(404)
    expect((await freja.open('/select')).words).toContain('You do not have access to any business yet')
  })
})
