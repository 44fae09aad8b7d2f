import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { makeDue } from '../../src/store/due.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { wordsOf } from '../support/page-content.ts'

const base = '/partners/12345'
const shop = '/merchants/business:NO:ORG/311900456'
const sauna = '/merchants/business:FI:Y-tunnus/9234567-8'

let test: TestPortal
let kari: Browser
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 8 }) })
  kari = await test.signedIn('Kari Nordmann')
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

async function why(q: string, { browser = kari, at = base } = {}): Promise<Visit> {
  return browser.open(`${at}/why?${new URLSearchParams({ q }).toString()}`)
}

type Answer = {
  readonly sentence: string
  readonly evidence: readonly string[]
  readonly steps: readonly string[]
  readonly similar: readonly string[]
}

/** What the page answers: for each meaning the sentence, the evidence with its sign, the steps, and similar records. */
function answersOf({ $ }: Visit): Answer[] {
  return $('section.answer')
    .toArray()
    .map((section) => {
      const linesOf = (selector: string, sign: (value: string | undefined) => string = () => '') =>
        $(section)
          .find(selector)
          .toArray()
          .map((line) => {
            const copy = $(line).clone()
            copy.find('small').prepend(' | ')
            return sign(copy.attr('data-sign')) + wordsOf(copy)
          })
      return {
        sentence: wordsOf($(section).find('h2')),
        evidence: linesOf('.evidence:not(.similar) li', (sign) => `${sign}: `),
        steps: linesOf('.next-steps li'),
        similar: linesOf('.similar li'),
      }
    })
}

/** The only answer of the page. */
function answerOf(page: Visit): Answer {
  const [answer, ...others] = answersOf(page)
  if (!answer || others.length > 0) throw new Error(`not one answer: ${page.words}`)
  return answer
}

async function answerTo(q: string, options?: Parameters<typeof why>[1]): Promise<Answer> {
  const page = await why(q, options)
  expect(page.status).toBe(200)
  return answerOf(page)
}

function unitOf(msn: string) {
  const unit = test.world.salesUnits.find(({ body }) => body.msn === msn)
  if (!unit) throw new Error(`no sales unit ${msn}`)
  return unit
}

const nordlys = { kind: 'partner', id: '12345', name: '' } as const

/** Reads the lists of Nordlys again. */
async function readAgain(): Promise<void> {
  await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
  await test.settled()
}

/** Reads the details of one sales unit of Nordlys again. */
async function readUnit(msn: string): Promise<void> {
  const { pool } = test.portal.database
  await pool.query(
    `update sync_state set due_at = 'epoch' where organisation = 'partner/12345' and resource = 'salesUnit' and key = $1`,
    [msn],
  )
  await pool.query(`update organisation_sync set details_due_at = 'epoch' where organisation = 'partner/12345'`)
  await test.settled()
}

/** Matches text that contains all of these. */
function saying(...words: readonly string[]): string {
  const each = words.map((word) => `(?=.*${word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)})`)
  return expect.stringMatching(new RegExp(each.join(''), 's'))
}

/** Lines that contain each of these, among others. */
function including(...lines: readonly string[]): readonly string[] {
  return expect.arrayContaining(lines.map((line) => saying(line)))
}

/** The audit entries of live looks, oldest first. */
async function looks(): Promise<
  { readonly userId: string; readonly organisation: string; readonly details: object }[]
> {
  await test.portal.audit.flush()
  const { rows } = await test.portal.database.pool.query<{ userId: string; organisation: string; details: object }>(
    `select user_id as "userId", organisation, details from audit where event = 'live look' order by id`,
  )
  return rows
}

const moment = String.raw`\d+ \w+ \d{4} at \d\d:\d\d CES?T`

describe('a sales unit', () => {
  it('that is active is found, with its link', async () => {
    for (const q of ['123456', '123 456', 'MSN 123456', `${test.url}${base}/sales-units/123456`])
      expect([q, await answerTo(q)]).toEqual([
        q,
        {
          sentence: 'Yes, you can see ACME Fantastic Fitness.',
          evidence: [saying('yes: It is in your list of active sales units. | Checked '), saying('first saw it on')],
          steps: ['Open ACME Fantastic Fitness.', saying('a filter is hiding it. See Sales units')],
          similar: [],
        },
      ])
    await why('123456')
    expect((await kari.follow('ACME Fantastic Fitness')).url.pathname).toBe(`${base}/sales-units/123456`)
    expect(await looks()).toEqual([])
  })

  it('of another organisation of the user is there, and of no other is never told', async () => {
    const answer = await answerTo('124999', { browser: åse })
    expect(answer.sentence).toBe('Sales unit 124999 is under ACME Fantastic Fitness AS, not under Nordlys Platform AS.')
    expect(answer.evidence).toEqual([
      'no: It is not under Nordlys Platform AS.',
      saying('yes: It has been under ACME Fantastic Fitness AS since'),
    ])
    expect(answer.steps).toEqual(['Open ACME Fitness nettbutikk under ACME Fantastic Fitness AS.'])
    expect((await åse.follow('ACME Fitness nettbutikk')).url.pathname).toBe(`${shop}/sales-units/124999`)
    const page = await why('124999')
    expect(answerOf(page).sentence).toBe('You do not have access to sales unit 124999.')
    expect(page.words).not.toMatch(/ACME|nettbutikk/)
  })

  it('that was never seen is asked for, and explained', async () => {
    const before = (await looks()).length
    const page = await why('999999')
    expect(answerOf(page)).toEqual({
      sentence: 'You do not have access to sales unit 999999.',
      evidence: [
        saying('no: It is not in your list of active sales units. | Checked '),
        'no: The portal has never seen it.',
        saying('no: The API was asked and does not have it for you (404). | Checked'),
      ],
      steps: [
        saying('Ask the merchant for the MSN'),
        saying('named you as partner'),
        saying('to your partner manager'),
      ],
      similar: [],
    })
    expect(page.words).toContain('Vippsnummer or MobilePay-nummer')
    expect(page.$('.next-steps [data-copy]').attr('data-copy')).toMatch(
      /^You do not have access to sales unit 999999\.\n- It is not in your list of active sales units\. \(Checked/,
    )
    await why('999999')
    expect((await looks()).slice(before)).toEqual([
      { userId: test.userId('Kari Nordmann'), organisation: 'partner/12345', details: { salesUnit: '999999' } },
    ])
  })

  it('with a mistyped MSN is proposed', async () => {
    expect((await answerTo('123465')).similar).toEqual(['ACME Fantastic Fitness | 123456'])
  })

  it('that left the list is known with since when, why, and when it came back before', async () => {
    const unit = unitOf('123789')
    for (const isActive of [false, true, false]) {
      unit.active = isActive
      await readAgain()
    }
    const page = await why('123789')
    const answer = answerOf(page)
    expect(answer.sentence).toMatch(
      new RegExp(`^Sales unit 123789 has not been among your active sales units since ${moment}\\.$`),
    )
    expect(page.words).toContain('Most likely the merchant has deactivated it.')
    expect(page.words).toContain('The merchant itself is deactivated.')
    expect(answer.evidence).toEqual([
      saying('yes: It was yours: Bergen Fitness Sentrum, first seen on'),
      saying('no: It has been missing from your list of active sales units since', 'Checked'),
      expect.stringMatching(new RegExp(`^none: It was also unavailable before, from ${moment} to ${moment}\\.`)),
      saying('no: The API was asked and does not have it for you (404).'),
      'yes: Its merchant ACME Fantastic Fitness AS has 2 other active sales units with you.',
    ])
    expect(answer.steps).toEqual([saying('closed the shop or changed partner'), saying('to your partner manager')])
    unit.active = true
    await readAgain()
  })

  it('whose details became 404 says so', async () => {
    test.api.faults.override = ({ path }) =>
      path.endsWith('/sales-units/124680') ? { status: 404, body: { title: 'Not Found' } } : undefined
    await readUnit('124680')
    const { evidence } = await answerTo('124680')
    test.api.faults.override = null
    expect(evidence).toEqual(including('no: On ', 'the API answered that it no longer has it (404)'))
    await test.portal.database.pool.query(`update sync_state set checked_at = 'epoch' where key = '124680'`)
    // The live look finds that it is back.
    expect((await answerTo('124680')).sentence).toBe('Yes, you can see Tromsø Fitness Nordlys.')
  })
})

describe('a merchant', () => {
  it('with active sales units is found, with its units and orders', async () => {
    for (const q of ['311900456', 'NO 311 900 456', 'business:NO:ORG:311900456']) {
      const answer = await answerTo(q)
      expect([q, answer.sentence]).toEqual([q, 'Yes, you can see ACME Fantastic Fitness AS.'])
      expect(answer.evidence).toEqual(including('yes: ACME Fantastic Fitness is active. | 123456'))
      expect(answer.steps).toEqual(['Open ACME Fantastic Fitness AS.'])
    }
  })

  it('that the API does not have has no active sales unit, and no order that names the partner', async () => {
    const page = await why('org.nr. 340 196 864 MVA')
    expect(answerOf(page)).toEqual({
      sentence: 'NO 340 196 864 has no active sales unit with you.',
      evidence: [
        saying('no: None of your active sales units belong to it. | Checked'),
        saying('no: The API was asked and does not have it for you (404).'),
        saying('none: No product order of this merchant names you as partner.'),
      ],
      steps: [
        saying('which sales units are active'),
        saying('named you as partner'),
        saying('to your partner manager'),
      ],
      similar: [],
    })
    expect(page.words).toContain('Only the merchant can see an order that does not name you as partner')
    expect((await looks()).at(-1)?.details).toEqual({ merchant: 'business:NO:ORG/340196864' })
  })

  it('without sales units but with orders leads to exactly these', async () => {
    const owners = new Set(test.world.salesUnits.map(({ body }) => body.businessIdentifier.id))
    const order = test.world.productOrders.find(
      ({ partnerId, body }) => partnerId === '12345' && !owners.has(body.businessIdentifier.id),
    )?.body
    const { scheme = '', id = '' } = order?.businessIdentifier ?? {}
    const answer = await answerTo(`${scheme}:${id}`)
    expect(answer.evidence).toEqual(including('yes: From this merchant you see one product order that names you.'))
    const list = await kari.follow('one product order that names you')
    expect(list.$('main tbody tr')).toHaveLength(1)
  })

  it('whose last sales unit was removed says since when', async () => {
    const unit = unitOf('150666')
    unit.active = false
    await readAgain()
    const answer = await answerTo('315660232')
    expect(answer.sentence).toMatch(/^Kiosken på hjørnet AS has had no active sales unit with you since /)
    expect(answer.evidence).toEqual(
      including('Kiosk was active with you until', 'The API was asked and does not have it'),
    )
    unit.active = true
    await readAgain()
  })

  it('of another organisation of the user is there', async () => {
    const { sentence, steps } = await answerTo('business:FI:Y-tunnus:9123456-7', { browser: åse, at: shop })
    expect(sentence).toBe('Fitness Tampere Oy is under Nordlys Platform AS, not under ACME Fantastic Fitness AS.')
    expect(steps).toEqual(['Open Fitness Tampere Oy under Nordlys Platform AS.'])
  })
})

describe('an ID', () => {
  it('of an order, a template, a price package or a webhook is found, also as the link of an order', async () => {
    const mine = ({ partnerId }: { partnerId: string }) => partnerId === '12345'
    const order = test.world.productOrders.find((one) => mine(one) && one.body.productOrderUrl)?.body
    const hook = test.world.webhooks.find(({ registeredFor }) => registeredFor === 'partner/12345')?.body
    for (const [q = '', list] of [
      [order?.productOrderId, 'Product orders'],
      [String(order?.productOrderUrl), 'Product orders'],
      [test.world.templates.find(mine)?.body.templateId, 'Templates'],
      [test.world.templates.find(mine)?.body.url, 'Templates'],
      [test.world.pricePackages.find(mine)?.body.pricePackageId, 'Price packages'],
      [hook?.id, 'Webhooks'],
    ]) {
      const { sentence, evidence, steps } = await answerTo(q)
      expect([q, sentence]).toEqual([q, `Yes, it is under “${list}”.`])
      expect(evidence).toEqual(including(`yes: It is in the list “${list}”. | Checked`))
      expect(steps).toEqual([saying('Open ')])
    }
  })

  it('that nobody has does not name the partner, or is mistyped', async () => {
    const id = '12745d37-ce52-55a3-bb28-0479c9d32d7d'
    expect(await answerTo(id.toUpperCase())).toEqual({
      sentence: 'No product order with this ID names you as partner.',
      evidence: [
        saying('no: None of the product orders that name you has this ID. | Checked'),
        saying('no: Nothing else'),
        saying('no: The API was asked and does not have it for you (404).'),
      ],
      steps: [saying('whether their order names you'), saying('cannot be changed', 'Templates')],
      similar: [],
    })
    expect((await looks()).at(-1)?.details).toEqual({ productOrder: id })
    expect((await answerTo(id.slice(0, -1))).sentence).toBe(
      'This cannot be an ID: it has 35 characters, and IDs have 36.',
    )
    expect((await answerTo('https://nowhere.example/x')).sentence).toBe(
      'This link does not lead to anything you can see.',
    )
  })

  it('of a removed order says since when', async () => {
    const [order] = test.world.productOrders.splice(
      test.world.productOrders.findIndex(({ partnerId }) => partnerId === '12345'),
      1,
    )
    await readAgain()
    const { sentence, evidence } = await answerTo(String(order?.body.productOrderId))
    expect(sentence).toMatch(/^It was under “Product orders” until /)
    expect(evidence).toEqual(
      including('missing from the list “Product orders” since', 'The API was asked and does not'),
    )
  })

  it('is not asked for in the business portal, and is found in another organisation of the user', async () => {
    const order = test.world.productOrders.find(({ partnerId }) => partnerId === '12345')?.body.productOrderId ?? ''
    const before = (await looks()).length
    const { sentence } = await answerTo(order, { browser: åse, at: shop })
    expect(sentence).toBe('It is under Nordlys Platform AS, not under ACME Fantastic Fitness AS.')
    const mikko = await test.signedIn('Mikko Mäkinen')
    const page = await why(order, { browser: mikko, at: sauna })
    expect(answerOf(page).sentence).toBe('Nothing here has this ID.')
    expect(page.words).toContain('A product order is shown only to the partner it names.')
    expect((await looks()).length).toBe(before)
  })
})

describe('a number that is none', () => {
  it.each([
    ['NO 340 196 86', '34019686 cannot be a Norwegian organisation number.', 'It needs 9 digits and has 8.'],
    ['NO 3401968640', '3401968640 cannot be a Norwegian organisation number.', 'It needs 9 digits and has 10.'],
    ['NO 340196865', '340196865 is not a Norwegian organisation number.', 'is not the check digit'],
    ['9123456-8', '91234568 is not a Finnish business ID (Y-tunnus).', 'is not the check digit'],
    ['559999-9992', '5599999992 is not a Swedish organisation number.', 'is not the check digit'],
    ['CVR 1234567', '1234567 cannot be a Danish CVR number.', 'It needs 8 digits and has 7.'],
    ['MSN 12', '12 cannot be an MSN.', 'It needs 4–10 digits and has 2.'],
    ['12345678901', '12345678901 is not a number that the portal knows.', 'It has 11 digits.'],
  ])('is told apart: %s', async (q, sentence, evidence) => {
    const page = await why(q)
    const [answer] = answersOf(page)
    expect([answer?.sentence, answer?.evidence]).toEqual([sentence, [saying(`no: `, evidence)]])
    expect(answer?.steps).toEqual(including('Compare the number'))
    expect(wordsOf(page.$('section.answer dl').first())).toMatch(/^Norway ?9 digits, like 340 196 864/)
  })

  it('says what is likely: a digit is missing, two are swapped, or it is an MSN', async () => {
    const missing = await why('NO 311 900 45')
    expect(missing.words).toContain('Most likely one digit is missing.')
    // It may be an MSN or a CVR number, but the user said what it is.
    expect(answersOf(missing)).toHaveLength(1)
    expect(answersOf(missing)[0]?.similar).toEqual(['ACME Fantastic Fitness AS | NO 311 900 456'])
    const swapped = await why('NO 340 196 846')
    expect(answersOf(swapped)[0]?.steps).toEqual(
      including('With two digits swapped, it would be valid: NO 340 196 864.'),
    )
    const msn = await why('NO 123456')
    expect(answersOf(msn).map(({ sentence }) => sentence)).toEqual([
      '123456 cannot be a Norwegian organisation number.',
      'Yes, you can see ACME Fantastic Fitness.',
    ])
  })

  it('with several meanings has an answer for each, the most likely first', async () => {
    const sentencesTo = async (q: string) => answersOf(await why(q)).map(({ sentence }) => sentence)
    expect(await sentencesTo('91234564')).toEqual([
      'DK 91234564 has no active sales unit with you.',
      'You do not have access to sales unit 91234564.',
    ])
    expect(await sentencesTo('20481299')).toEqual([
      'You do not have access to sales unit 20481299.',
      'DK 20481299 has no active sales unit with you.',
    ])
    // A number that is known has no other meaning.
    expect(await sentencesTo('20481234')).toEqual(['Yes, you can see Fjord Fitness & Spa.'])
  })
})

describe('a name', () => {
  it('that is here leads to its records', async () => {
    const answer = await answerTo('tampere')
    expect(answer.sentence).toBe('Yes, this matches “tampere”.')
    expect(answer.evidence).toEqual(
      including('yes: Fitness Tampere Oy | Sales units', 'Fitness Tampere Oy | Merchants'),
    )
    expect((await kari.follow('Results for “tampere”')).url.pathname).toBe(`${base}/search`)
  })

  it('that is nowhere lists what was searched', async () => {
    const { sentence, evidence, steps } = await answerTo('zz <b>nothing</b>')
    expect(sentence).toBe('Nothing you can see matches “zz <b>nothing</b>”.')
    expect(evidence).toEqual(
      ['Sales units', 'Product orders', 'Templates', 'Price packages'].map((list) =>
        saying(`no: Nothing in the list “${list}” matches. | Checked`),
      ),
    )
    expect(steps).toEqual(including('Ask the merchant for the MSN'))
  })

  it('of a removed sales unit leads to its answer', async () => {
    const unit = unitOf('28124')
    unit.active = false
    await readAgain()
    expect((await answerTo('kuntosali')).sentence).toBe('“kuntosali” was among your sales units, and no longer is.')
    expect((await kari.follow('Kuntosali Hämeenlinna')).words).toContain('Sales unit 28124 has not been among')
    unit.active = true
    await readAgain()
  })

  it('in another organisation of the user says which', async () => {
    const unit = test.world.salesUnits.find(({ partnerId }) => partnerId === '23456')?.body
    const { sentence } = await answerTo(String(unit?.name), { browser: åse })
    expect(sentence).toBe(`${unit?.name} is under Fjordkasse & Sønner POS AS, not under Nordlys Platform AS.`)
    expect((await answerTo(String(unit?.name))).sentence).toBe(`Nothing you can see matches “${unit?.name}”.`)
  })
})

describe('the business portal', () => {
  it('answers about its own sales units and itself, and asks for no other merchant', async () => {
    const options = { browser: åse, at: shop }
    expect((await answerTo('123456', options)).sentence).toBe('Yes, you can see ACME Fantastic Fitness.')
    expect((await answerTo('311900456', options)).steps).toEqual(['Open ACME Fantastic Fitness AS.'])
    const before = (await looks()).length
    expect((await answerTo('NO 340 196 864', options)).sentence).toBe('You only see ACME Fantastic Fitness AS here.')
    expect((await looks()).length).toBe(before)
    const page = await why('125000', options)
    expect(answerOf(page).sentence).toBe('You do not have access to sales unit 125000.')
    expect(answerOf(page).steps).toEqual(including('contact Vipps MobilePay customer service'))
    expect(page.words).not.toContain('partner manager')
  })
})

describe('a viewer', () => {
  it('is told nothing about webhooks', async () => {
    const nora = await test.signedIn('Nora Lie')
    const hook = test.world.webhooks.find(({ registeredFor }) => registeredFor === 'partner/12345')?.body
    for (const q of [String(hook?.id), String(hook?.url), 'fitness', '']) {
      const page = await why(q, { browser: nora })
      expect([q, page.status]).toEqual([q, 200])
      expect(page.$('main').clone().find('input').remove().end().html()).not.toMatch(/webhook|developers/i)
    }
  })
})

describe('what the user types', () => {
  it('is never an error, however odd or long', async () => {
    const odd = [
      '%',
      '\\',
      "' or 1=1 --",
      '\u0000\u0007',
      '😀',
      '\uD800',
      'x'.repeat(3000),
      `https://x/${'1'.repeat(3000)}`,
    ]
    for (const q of [...odd, 'https://', 'http://[', `${base}/sales-units?q=${base}/sales-units?q=1`, '-', '٣٤٥٦٧٨'])
      expect([q.slice(0, 30), (await why(q)).status]).toEqual([q.slice(0, 30), 200])
    expect((await kari.open(`${base}/why?q=%00%C3%28`)).status).toBe(200)
    expect((await kari.open(`${base}/why?q=a&q=b`)).status).toBe(400)
  })

  it('is kept in the field, and without it there is no answer', async () => {
    expect((await why(' 123 456 ')).$('#asked').val()).toBe('123 456')
    const page = await kari.open(`${base}/why`)
    expect(answersOf(page)).toEqual([])
    expect(page.$('h1').text()).toBe('Why can’t I see it?')
  })
})

describe('the page', () => {
  it('is reached from the side bar of Home, search, lists, questions and pages of what is missing', async () => {
    const target = async (path: string, link = 'Why can’t I see it?') => {
      const page = await kari.open(path)
      const found = page.$('main a').filter((_, element) => page.$(element).text() === link)
      return found.attr('href')
    }
    expect((await kari.open(base)).$('.side .help a').attr('href')).toBe(`${base}/why`)
    expect(await target(`${base}/search?q=zznothing`)).toBe(`${base}/why?q=zznothing`)
    expect(await target(`${base}/sales-units?q=zznothing`)).toBe(`${base}/why?q=zznothing`)
    expect(await target(`${base}/sales-units`)).toBe(`${base}/why`)
    expect(await target(`${base}/product-orders`)).toBe(`${base}/why`)
  })

  it.each([
    ['/sales-units/999998', '999998', 'You do not have access to sales unit 999998.', `${base}/sales-units`],
    ['/merchants/business:NO:ORG/340196864', 'business:NO:ORG:340196864', 'NO 340 196 864 has no', `${base}/merchants`],
    [
      '/product-orders/12745d37-ce52-55a3-bb28-0479c9d32d7a',
      '12745d37-ce52-55a3-bb28-0479c9d32d7a',
      'No product order with this ID',
      `${base}/product-orders`,
    ],
    ['/sales-units/12', '12', '“12”', `${base}/sales-units`],
  ])('is asked from the page of what is missing: %s', async (path, asked, sentence, list) => {
    const page = await kari.open(base + path)
    expect([page.status, page.$('#asked').val()]).toEqual([404, asked])
    expect(page.$('.actions a').first().attr('href')).toBe(list)
    expect(page.$('.reference [data-copy]').attr('data-copy')).toBe(page.$('.reference code').text())
    const form = page.$('main form.ask')
    expect([form.attr('method'), form.attr('action'), page.$('#asked').attr('name')]).toEqual([
      'get',
      `${base}/why`,
      'q',
    ])
    expect(answersOf(await why(asked))[0]?.sentence).toContain(sentence)
  })
})

describe('the live look', () => {
  it('is limited for each user, and the answer says so', async () => {
    const liisa = { browser: await test.signedIn('Liisa Korhonen'), at: '/partners/34567' }
    for (let number = 880_001; number <= 880_030; number += 1) await why(String(number), liisa)
    const { sentence, evidence, steps } = await answerTo('880031', liisa)
    expect(sentence).toBe('The portal has never seen sales unit 880031, and could not ask the API about it.')
    expect(evidence).toEqual(
      including('none: The API was not asked, because you have asked very often. You can ask again in'),
    )
    expect(steps).toEqual(including('Ask again in a moment'))
    // What has just been answered needs no call.
    expect((await answerTo('880030', liisa)).sentence).toBe('You do not have access to sales unit 880030.')
    expect((await answerTo('880032')).sentence).toBe('You do not have access to sales unit 880032.')
  })

  it('says what the store knows when the API is down', async () => {
    test.api.faults.down = true
    const never = await answerTo('770001')
    expect(never.sentence).toBe('The portal has never seen sales unit 770001, and could not ask the API about it.')
    expect(never.evidence.at(-1)).toMatch(
      /^none: (The API was asked, but did not answer|The Vipps MobilePay API has not)/,
    )
    expect(never.steps).toEqual(including('Ask again in a moment'))
    expect((await answerTo('NO 340 196 082')).sentence).toMatch(
      /^The portal knows of no active sales unit that NO 340 196 082 has with you/,
    )
    expect((await answerTo('123456')).sentence).toBe('Yes, you can see ACME Fantastic Fitness.')
    test.api.faults.down = false
  })
})
