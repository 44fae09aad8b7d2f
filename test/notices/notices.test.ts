import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { InboxMail } from '../../demo/inbox.ts'
import { startPortal } from '../../src/portal.ts'
import { type OrganisationReference, organisationKey } from '../../src/domain/organisation.ts'
import { addGrant, removeGrant } from '../../src/store/grants.ts'
import { makeDue } from '../../src/store/due.ts'
import { removeUser } from '../../src/store/user-data.ts'
import type { Browser } from '../support/browser.ts'
import { type Refusals, startMailServer } from '../support/mail-server.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const nordlys = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' } as const
const sauna: OrganisationReference = { kind: 'merchant', scheme: 'business:FI:Y-tunnus', id: '9234567-8' }

const hourMs = 3_600_000

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())
beforeEach(async () => {
  const { pool, kysely } = test.portal.database
  await pool.query('delete from notice_settings; delete from notice_marks; delete from notices')
  await addGrant(kysely, nordlys, test.userId('Kari Nordmann'), { role: 'developer' })
  await addGrant(kysely, nordlys, test.userId('Nora Lie'))
  kari = await test.signedIn('Kari Nordmann')
  mails()
})

/** Saves the form of the profile page for an organisation. */
async function choose(
  browser: Browser,
  organisation: OrganisationReference,
  choice: { readonly digest?: string; readonly events?: readonly string[]; readonly language?: string },
) {
  const { digest = '', events = [], language } = choice
  if (language) await browser.open(`/language/${language}?returnTo=/profile`)
  const page = await browser.open('/profile')
  const form = new URLSearchParams({ organisation: organisationKey(organisation), digest })
  form.set('_csrf', page.$('form[action="/profile/notices"] input[name=_csrf]').attr('value') ?? '')
  for (const event of events) form.append('events', event)
  return browser.post('/profile/notices', form)
}

async function pass(at?: Date): Promise<void> {
  await test.portal.notices?.pass(at)
}

/** The mails of the inbox, oldest first, which it then forgets. */
function mails(): InboxMail[] {
  const all = (test.inbox.mails as InboxMail[]).splice(0).toReversed()
  return all.map((mail) => ({ ...mail, text: mail.text.replaceAll('\r\n', '\n') }))
}

function subjects(): string[] {
  return mails().map(({ to, subject }) => `${to.split('@')[0]}: ${subject}`)
}

/** Gives an order of Nordlys another status at the API, and syncs it. */
async function decide(status: 'COMPLETED' | 'REJECTED'): Promise<string> {
  const order = test.world.productOrders.find(
    ({ partnerId, body }) => partnerId === nordlys.id && body.status !== status && body.productOrderId !== decided,
  )
  if (!order) throw new Error('no order is left')
  decided = order.body.productOrderId
  Object.assign(order.body, { status })
  await syncLists()
  return order.body.productOrderId
}
let decided = ''

async function syncLists(): Promise<void> {
  await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
  await test.settled()
}

/** Nordlys lost a sales unit, with webhooks of its own or without. */
async function removeSalesUnit({ hasWebhook = true } = {}): Promise<{ readonly msn: string; readonly name: string }> {
  const unit = test.world.salesUnits.find(
    ({ partnerId, active, body }) =>
      active &&
      partnerId === nordlys.id &&
      hasWebhook === test.world.webhooks.some(({ registeredFor }) => registeredFor === `msn/${body.msn}`),
  )
  if (!unit) throw new Error('no sales unit is left')
  Object.assign(unit, { active: false })
  await syncLists()
  return unit.body
}

/** The moment of Kari's next digest. */
async function dueAt(name = 'Kari Nordmann'): Promise<Date> {
  const { rows } = await test.portal.database.pool.query<{ at: Date }>(
    'select digest_due_at as at from notice_settings where user_id = $1',
    [test.userId(name)],
  )
  return rows[0]?.at ?? new Date(0)
}

async function waiting(): Promise<number> {
  const { rows } = await test.portal.database.pool.query('select from notices where sent_at is null')
  return rows.length
}

describe('the profile page', () => {
  it('has a form for each organisation, off at first, and says where mails go', async () => {
    const page = await kari.open('/profile')
    const section = page.$('#notices')
    expect(section.text()).toContain('Emails go to kari.nordmann@nordlys.example, in English.')
    expect(section.find('summary .muted').text()).toBe('Off')
    expect(section.find('input[type=checkbox]').toArray()).toHaveLength(5)
    expect(section.find('input[checked]').toArray()).toHaveLength(0)
    const saved = await choose(kari, nordlys, { digest: 'weekly', events: ['completed', 'webhooks'] })
    expect(saved.url.pathname + saved.url.search).toBe('/profile?notices=partner%2F12345')
    expect(saved.words).toContain('Your choice for Nordlys Platform AS has been saved.')
    expect(saved.$('#notices summary .muted').text()).toBe('Every Monday at 07:00 and 2 events right away')
    expect(
      saved
        .$('#notices input[checked]')
        .toArray()
        .map(({ attribs }) => attribs['value']),
    ).toEqual(['completed', 'webhooks'])
    expect(saved.$('#notices option[selected]').attr('value')).toBe('weekly')
    expect((await choose(kari, nordlys, {})).$('#notices summary .muted').text()).toBe('Off')
  })

  it('has nothing about webhooks for viewers, nor about orders for merchants', async () => {
    const events = async (name: string) => {
      const page = await (await test.signedIn(name)).open('/profile')
      return page
        .$('#notices input[type=checkbox]')
        .toArray()
        .map(({ attribs }) => attribs['value'])
    }
    expect(await events('Nora Lie')).toEqual(['completed', 'rejected', 'expiring', 'removed'])
    expect(await events('Mikko Mäkinen')).toEqual(['removed', 'webhooks'])
    expect(await events('Jonas Berg')).toEqual(['removed'])
    expect((await (await test.signedIn('Freja Østergård')).open('/profile')).$('#notices')).toHaveLength(0)
  })

  it('refuses other organisations and other values', async () => {
    expect((await choose(kari, sauna, { digest: 'daily' })).status).toBe(404)
    expect((await choose(kari, nordlys, { digest: 'hourly' })).status).toBe(400)
    expect((await choose(kari, nordlys, { events: ['added'] })).status).toBe(400)
    const nora = await test.signedIn('Nora Lie')
    await choose(nora, nordlys, { events: ['webhooks'] })
    expect((await nora.open('/profile')).$('#notices summary .muted').text()).toBe('Off')
  })
})

describe('events', () => {
  it('are mailed once, in one mail a pass, with links and without what was not asked for', async () => {
    await choose(kari, nordlys, { events: ['completed', 'rejected'] })
    await pass()
    expect(mails()).toEqual([])
    const completed = await decide('COMPLETED')
    const rejected = await decide('REJECTED')
    await removeSalesUnit({ hasWebhook: false })
    await Promise.all([pass(), pass()])
    const [mail, ...others] = mails()
    expect(others).toEqual([])
    expect(mail?.to).toBe('kari.nordmann@nordlys.example')
    expect(mail?.subject).toBe('Nordlys Platform AS: 1 order completed and 1 order rejected')
    for (const part of [mail?.text, mail?.html]) {
      for (const id of [completed, rejected]) expect(part).toContain(`${test.url}/partners/12345/product-orders/${id}`)
      expect(part).not.toContain('sales unit')
    }
    expect(mail?.html).not.toMatch(/<img|src=|@import|url\(/)
    await pass()
    expect(mails()).toEqual([])
  })

  it('tell developers of webhooks, and viewers not', async () => {
    await choose(kari, nordlys, { events: ['removed', 'webhooks'] })
    const nora = await test.signedIn('Nora Lie')
    await choose(nora, nordlys, { events: ['removed'] })
    const { kysely } = test.portal.database
    const { msn, name } = await removeSalesUnit()
    await pass()
    const [first, second] = mails().toSorted((one, other) => one.to.localeCompare(other.to))
    expect(first?.subject).toMatch(/^Nordlys Platform AS: 1 sales unit removed and \d+ webhooks? removed$/)
    expect(second?.subject).toBe('Nordlys Platform AS: 1 sales unit removed')
    expect(second?.text).toContain(`- ${name}, MSN ${msn}\n  ${test.url}/partners/12345/sales-units/${msn}`)
    expect(second?.raw).not.toContain('ebhook')
    // A developer who has become a viewer meanwhile.
    await addGrant(kysely, nordlys, test.userId('Kari Nordmann'))
    await choose(kari, nordlys, { events: ['removed'] })
    await test.portal.database.pool.query(`update notice_settings set events = '{removed,webhooks}'`)
    await removeSalesUnit({ hasWebhook: false })
    await pass()
    expect(subjects().toSorted()).toEqual([
      'kari.nordmann: Nordlys Platform AS: 1 sales unit removed',
      'nora.lie: Nordlys Platform AS: 1 sales unit removed',
    ])
  })

  it('include orders whose links are about to expire, each once', async () => {
    await choose(kari, nordlys, { events: ['expiring'] })
    await pass()
    const waits = test.world.productOrders.filter(
      ({ partnerId, body: { status, productOrderType } }) =>
        partnerId === nordlys.id && productOrderType === 'PREFILL' && ['RECEIVED', 'MERCHANT_VIEWED'].includes(status),
    ).length
    const inDays = (days: number) => new Date(Date.now() + days * 24 * hourMs)
    await pass(inDays(10.9))
    expect(mails()).toEqual([])
    await pass(inDays(11.1))
    const [mail] = mails()
    expect(mail?.subject).toBe(`Nordlys Platform AS: ${waits} orders about to expire`)
    expect(mail?.text).toMatch(/, expires by \d+ \w+ \d{4}\n/)
    expect(mail?.text).toContain(`See all (${waits}): ${test.url}/partners/12345/product-orders`)
    await pass(inDays(12))
    await pass(inDays(15))
    expect(mails()).toEqual([])
  })

  it('come in six mails an hour at most; what happens meanwhile is in the next one', async () => {
    await choose(kari, nordlys, { events: ['completed'] })
    const began = Date.now()
    for (let which = 0; which < 6; which += 1) {
      await decide('COMPLETED')
      await pass(new Date(began + 60_000 * which))
    }
    expect(mails()).toHaveLength(6)
    for (let which = 0; which < 2; which += 1) {
      await decide('COMPLETED')
      await pass(new Date(began + 60_000 * (10 + which)))
    }
    expect(mails()).toHaveLength(0)
    await pass(new Date(began + hourMs + 60_000))
    expect(subjects()).toEqual(['kari.nordmann: Nordlys Platform AS: 2 orders completed'])
  })
})

describe('nothing is sent', () => {
  it('after an access has ended, or an organisation has left the file, or its user is gone', async () => {
    const { kysely } = test.portal.database
    const nora = test.userId('Nora Lie')
    await choose(await test.signedIn('Nora Lie'), nordlys, { digest: 'daily', events: ['completed'] })
    await decide('COMPLETED')
    await removeGrant(kysely, nordlys, nora)
    await pass(await dueAt('Nora Lie'))
    await addGrant(kysely, nordlys, nora, { until: '2026-01-01' })
    await decide('COMPLETED')
    await pass()
    expect([mails(), await waiting()]).toEqual([[], 0])
    await addGrant(kysely, nordlys, nora, { until: null })
    await decide('COMPLETED')
    const file = JSON.parse(readFileSync(test.organisationsFile, 'utf8')) as { partners: { id: string }[] }
    const without = { ...file, partners: file.partners.filter(({ id }) => id !== nordlys.id) }
    writeFileSync(test.organisationsFile, JSON.stringify(without))
    test.portal.reload()
    await pass(await dueAt('Nora Lie'))
    expect(mails()).toEqual([])
    writeFileSync(test.organisationsFile, JSON.stringify(file))
    test.portal.reload()
    await kysely.transaction().execute(async (trx) => removeUser(trx, nora))
    await pass()
    expect([mails(), await waiting()]).toEqual([[], 0])
  })

  it('between two instances twice', async () => {
    await choose(kari, nordlys, { digest: 'daily', events: ['completed'] })
    const other = await startPortal({ ...test.config, port: 0 }, { noticesEveryMs: 1_000_000_000 })
    try {
      await decide('COMPLETED')
      const due = await dueAt()
      await Promise.all([pass(due), other.notices?.pass(due), pass(due), other.notices?.pass(due)])
      expect(subjects().toSorted()).toEqual([
        'kari.nordmann: Nordlys Platform AS: 1 order completed',
        'kari.nordmann: Nordlys Platform AS: 1 order completed',
      ])
    } finally {
      await other.stop()
    }
  })
})

describe('a mail', () => {
  it('is in the language of the page on which the user saved, and looks alike as text and HTML', async () => {
    await choose(kari, nordlys, { events: ['completed'], language: 'nb' })
    await decide('COMPLETED')
    await pass()
    const [mail] = mails()
    expect(mail?.subject).toBe('Nordlys Platform AS: 1 bestilling fullført')
    expect([mail?.headers.get('content-language'), mail?.headers.get('auto-submitted')]).toEqual([
      'nb',
      'auto-generated',
    ])
    for (const part of [mail?.text, mail?.html]) {
      expect(part).toContain('Dette har nettopp skjedd hos Nordlys Platform AS.')
      expect(part).not.toMatch(/noticeMail|{{|undefined/)
    }
  })

  it('is tried again when the mail server refuses it for now, and given up after four hours', async () => {
    const refuse: Refusals = { data: 451 }
    const server = await startMailServer({ refuse })
    const usual = test
    test = await startTestPortal({ env: { SMTP_URL: `smtp://127.0.0.1:${server.port}` } })
    try {
      await choose(await test.signedIn('Kari Nordmann'), nordlys, { events: ['completed'] })
      await decide('COMPLETED')
      const now = Date.now()
      await pass(new Date(now))
      await pass(new Date(now + 30_000))
      expect(test.log().match(/notice not sent: next try later/g)).toHaveLength(1)
      delete refuse.data
      await pass(new Date(now + 61_000))
      await pass(new Date(now + 62_000))
      expect(server.mails.map(({ subject }) => subject)).toEqual(['Nordlys Platform AS: 1 order completed'])
      refuse.data = 451
      await decide('COMPLETED')
      for (let hours = 2; hours < 14; hours += 1) await pass(new Date(now + hours * hourMs))
      expect(test.log().match(/notice given up/g)).toHaveLength(1)
      expect(test.log()).not.toContain('kari.nordmann@')
      delete refuse.data
      await pass(new Date(now + 20 * hourMs))
      expect(server.mails).toHaveLength(1)
    } finally {
      await Promise.all([server.stop(), test.stop()])
      test = usual
    }
    // It starts a portal of its own, and makes 16 passes.
  }, 60_000)
})

describe('unsubscribing', () => {
  const linkOf = (mail: InboxMail | undefined) =>
    /^<(.*)>$/.exec(mail?.headers.get('list-unsubscribe') ?? '')?.[1] ?? ''

  it('takes one POST without a session, as mail clients send it, and no GET', async () => {
    await choose(kari, nordlys, { digest: 'daily', events: ['completed'] })
    await decide('COMPLETED')
    await pass()
    const [mail] = mails()
    const link = linkOf(mail)
    expect(mail?.headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
    expect(mail?.text).toContain(link)
    const stranger = test.browser()
    const page = await stranger.open(link)
    expect([page.status, page.words]).toEqual([200, expect.stringContaining('Stop emails about Nordlys Platform AS')])
    expect(page.headers['set-cookie']).toBeUndefined()
    await decide('COMPLETED')
    await pass()
    expect(mails()).toHaveLength(1)
    const done = await test.browser().post(link, { 'List-Unsubscribe': 'One-Click' })
    expect([done.status, done.words]).toEqual([
      200,
      expect.stringContaining('Emails about Nordlys Platform AS have stopped'),
    ])
    await decide('COMPLETED')
    await pass(new Date(Date.now() + 48 * hourMs))
    expect(mails()).toEqual([])
    expect((await kari.open('/profile')).$('#notices summary .muted').text()).toBe('Off')
    expect((await stranger.open(link)).words).toContain('Emails about Nordlys Platform AS have stopped')
    expect(test.log()).not.toContain(link.split('/').at(-1))
  })

  it('redirects the button of its page, so that the back button does not send it again', async () => {
    await choose(kari, nordlys, { events: ['completed'] })
    await decide('COMPLETED')
    await pass()
    const browser = test.browser()
    const link = linkOf(mails()[0])
    await browser.open(link)
    const pressed = await browser.press('Stop emails', { follow: false })
    expect([pressed.status, pressed.headers['location']]).toEqual([303, new URL(link).pathname])
    expect((await browser.open(link)).words).toContain('Emails about Nordlys Platform AS have stopped')
  })

  it('answers 404 to a changed token', async () => {
    await choose(kari, nordlys, { events: ['completed'] })
    await decide('COMPLETED')
    await pass()
    const link = linkOf(mails()[0])
    for (const wrong of [`${link}x`, link.replace('/unsubscribe/', '/unsubscribe/x'), `${test.url}/unsubscribe/a.b`]) {
      expect((await test.browser().open(wrong)).status).toBe(404)
      expect((await test.browser().post(wrong, {})).status).toBe(404)
    }
  })
})

describe('a digest', () => {
  it('comes when it is due, tells what happened since the last one, and not at all when nothing did', async () => {
    await choose(kari, nordlys, { digest: 'daily' })
    const first = await dueAt()
    await decide('COMPLETED')
    const { name } = await removeSalesUnit()
    await pass(new Date(first.getTime() - 1000))
    expect(mails()).toEqual([])
    await pass(first)
    const [mail] = mails()
    expect(mail?.subject).toMatch(
      /^Nordlys Platform AS: 1 order completed, 1 sales unit removed and \d webhooks? removed$/,
    )
    expect(mail?.text).toContain('Your daily summary of Nordlys Platform AS.')
    expect(mail?.text).toContain(name)
    const second = await dueAt()
    expect((second.getTime() - first.getTime()) / hourMs).toBeGreaterThan(22)
    await pass(second)
    expect(mails()).toEqual([])
    await decide('REJECTED')
    await pass(await dueAt())
    expect(subjects()).toEqual(['kari.nordmann: Nordlys Platform AS: 1 order rejected'])
  })

  it('leaves out what a viewer may not see', async () => {
    const nora = await test.signedIn('Nora Lie')
    await choose(nora, nordlys, { digest: 'daily' })
    await removeSalesUnit()
    await pass(await dueAt('Nora Lie'))
    expect(subjects()).toEqual(['nora.lie: Nordlys Platform AS: 1 sales unit removed'])
  })
})
