import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { userIdOf } from '../../src/auth/user-id.ts'
import { findUser } from '../../src/store/users.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { everyRoute } from '../support/every-route.ts'
import { whileHeld } from '../support/held-query.ts'
import { type FaultyProvider, startFaultyProvider } from '../support/faulty-provider.ts'
import { type MailServer, type Refusals, startMailServer } from '../support/mail-server.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { problemOf, signInAs } from '../support/verify-email-steps.ts'

let provider: FaultyProvider
let mail: MailServer
let portal: PortalOf
const refuse: Refusals = {}
beforeAll(async () => {
  provider = await startFaultyProvider()
  mail = await startMailServer({ refuse })
  const env = { SMTP_URL: `smtp://127.0.0.1:${mail.port}`, MAIL_FROM: 'Partner portal <portal@example.com>' }
  portal = await startPortalOf(provider.issuer, { env: { ...env, LOG_LEVEL: 'trace' } })
})
afterAll(async () => {
  await portal.stop()
  await provider.stop()
  await mail.stop()
})

let userCount = 0
/** Signs in a new user without a verified e-mail address; the browser is at the form that asks for the address. */
async function newUser(returnTo?: string) {
  const sub = `new-user-${(userCount += 1)}`
  const signedIn = await signInAs({ portal, provider }, { sub }, returnTo ? { returnTo } : {})
  return { ...signedIn, id: userIdOf(provider.issuer, sub), email: `${sub}@example.com` }
}

function query(text: string, values: unknown[] = []) {
  return portal.database.pool.query<Record<string, unknown>>(text, values)
}

function send(browser: Browser, email: string): Promise<Visit> {
  return browser.press('Send me a code', { typed: { email } })
}

function verify(browser: Browser, code: string): Promise<Visit> {
  return browser.press('Verify', { typed: { code } })
}

async function verifiedOf(id: string) {
  return (await findUser(portal.database.kysely, id))?.email
}

async function auditOf(id: string) {
  return (
    await query("select event, address, details from audit where user_id = $1 and event like 'e-mail%' order by id", [
      id,
    ])
  ).rows
}

/** Another code of six digits. */
function otherThan(code: string): string {
  return String((Number(code) + 1) % 1_000_000).padStart(6, '0')
}

describe('the first sign-in', () => {
  it('asks for the address, mails a code, and leads to the requested page', async () => {
    const { browser, page, id, email } = await newUser('/select?all')
    expect([page.status, page.url.pathname]).toEqual([200, '/verify-email'])
    expect(page.$('h1').text()).toBe('Verify your email address')
    expect(page.$('#email').attr('value')).toBe(email)
    const form = await browser.press('Send me a code')
    expect(form.url.pathname + form.url.search).toBe('/verify-email/code?returnTo=%2Fselect%3Fall')
    expect(form.words).toContain(`a 6-digit code to ${email}`)
    const { inputmode, autocomplete } = form.$('#code').attr() ?? {}
    expect([inputmode, autocomplete]).toEqual(['numeric', 'one-time-code'])
    const code = mail.codeFor(email)
    const done = await verify(browser, ` ${code.slice(0, 3)}\u00A0${code.slice(3)} `)
    expect([done.status, done.url.pathname + done.url.search]).toEqual([200, '/select?all'])
    expect(await verifiedOf(id)).toBe(email)
    expect((await browser.open('/profile')).words).toContain(email)
    expect(await auditOf(id)).toEqual([{ event: 'e-mail verified', address: '127.0.0.0/24', details: { by: 'code' } }])
  })

  it('can verify another address than the eID’s, which a later sign-in does not change', async () => {
    const { browser, id, email } = await newUser()
    await send(browser, '  Work+1@EXAMPLE.Com ')
    const form = await browser.follow('Use another address')
    expect(form.$('#email').attr('value')).toBe('Work+1@example.com')
    await send(browser, 'other@example.com')
    await verify(browser, mail.codeFor('other@example.com'))
    expect(await verifiedOf(id)).toBe('other@example.com')
    const sub = email.slice(0, email.indexOf('@'))
    await signInAs({ portal, provider }, { sub, email: 'new@example.com', email_verified: true })
    expect(await verifiedOf(id)).toBe('other@example.com')
    const profile = await browser.open('/profile')
    expect(profile.words).toContain('other@example.com')
    expect(profile.words).toContain('The address in your eID is new@example.com.')
  })

  it('gives the session a new ID and invalidates the old one', async () => {
    const { browser, email } = await newUser()
    const before = String(browser.cookie('portal'))
    await browser.press('Send me a code')
    expect(browser.cookie('portal')).toBe(before)
    await verify(browser, mail.codeFor(email))
    expect(browser.cookie('portal')).not.toBe(before)
    const thief = portal.browser()
    thief.plant('portal', before)
    expect((await thief.open('/profile')).words).toContain('Sign in with eID')
    expect((await browser.open('/profile')).words).toContain(email)
    const out = await browser.press('Sign out', { follow: false })
    expect(out.status).toBe(302)
  })

  it('does not restore a session that has ended meanwhile', async () => {
    const { browser, id, email } = await newUser()
    await browser.press('Send me a code')
    await whileHeld(
      portal.database.kysely,
      /^update "sessions" set "id"/,
      () => verify(browser, mail.codeFor(email)),
      () => query('delete from sessions where user_id = $1', [id]),
    )
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')
    expect((await query('select from sessions where user_id = $1', [id])).rows).toEqual([])
  })

  it('uses the language of the page in the mail', async () => {
    const { browser, email } = await newUser()
    await browser.open('/language/nb?returnTo=/verify-email')
    const form = await browser.press('Send meg en kode')
    expect(form.words).toContain('Vi har sendt en kode på seks sifre')
    const sent = mail.mails.at(-1)
    expect(sent?.subject).toBe('Koden din til partnerportalen')
    expect(sent?.headers.get('content-language')).toBe('nb')
    expect(sent?.text).toContain(`partnerportalen på ${new URL(portal.url).host}, vil bruke`)
    expect(sent?.html).toContain('<html lang="nb">')
    expect((await browser.press('Bekreft', { typed: { code: '1' } })).words).toContain('Skriv inn alle de seks sifrene')
    await browser.press('Bekreft', { typed: { code: mail.codeFor(email) } })
    expect((await browser.open('/profile')).words).toContain(email)
  })

  it.each([
    '//evil.example',
    'https://evil.example/',
    '/\\evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
    '/profile\r\nSet-Cookie: a=b',
  ])('ignores an unsafe return path: %j', async (evil) => {
    const { browser, email } = await newUser()
    const returnTo = encodeURIComponent(evil)
    const page = await browser.open(`/verify-email?returnTo=${returnTo}`)
    expect(page.$('input[name=returnTo]').attr('value')).toBe('/select')
    await browser.press('Send me a code', { typed: { returnTo: evil } })
    await browser.open(`/verify-email/code?returnTo=${returnTo}`)
    const sent = await browser.press('Verify', {
      typed: { code: mail.codeFor(email), returnTo: evil },
      follow: false,
    })
    expect([sent.status, sent.headers['location']]).toEqual([303, '/select'])
  })
})

describe('a user without a verified address', () => {
  it('opens only the routes of the profile, the session and the verification', async () => {
    const { browser, email } = await newUser()
    const home = (await browser.open('/profile')).$('#user-id').text()
    expect(home).toMatch(/^[\da-f-]{36}$/)
    const token = String((await browser.open('/verify-email')).$('input[name=_csrf]').val())
    await send(browser, email)
    const routes = everyRoute().filter(
      ({ section, path }) => !['anyone', 'servers', 'mailLinks'].includes(section) && path !== '/logout',
    )
    const open: string[] = []
    for (const { method, path } of routes) {
      const at = path.replace(':scheme', 'business:NO:ORG').replaceAll(/:\w+/g, '12345')
      const page =
        method === 'GET'
          ? await browser.open(`${at}?a=b`, { follow: false })
          : await browser.post(at, { _csrf: token }, { follow: false })
      const returnTo = method === 'GET' ? `?returnTo=${encodeURIComponent(`${at}?a=b`)}` : ''
      if (page.headers['location'] !== `/verify-email${returnTo}`) open.push(`${method} ${path}`)
    }
    expect(routes.length).toBeGreaterThan(20)
    expect(open.toSorted()).toEqual([
      'GET /profile',
      'GET /session/ending',
      'GET /verify-email',
      'GET /verify-email/code',
      'POST /appearance',
      'POST /profile/sessions/revoke',
      'POST /session/stay',
      'POST /verify-email',
      'POST /verify-email/code',
      'POST /verify-email/resend',
    ])
    for (const path of ['/no/such', '/Profile/x', '/profile/../select', '/verify-email/x'])
      expect((await browser.open(path, { follow: false })).headers['location']).toMatch(/^\/verify-email/)
    expect((await browser.open('/language/nb?returnTo=/profile')).url.pathname).toBe('/profile')
    expect((await browser.press('Logg ut', { follow: false })).status).toBe(302)
  })

  it('must be signed in, and must send the CSRF token with the forms', async () => {
    for (const path of ['/verify-email', '/verify-email/code'])
      expect((await portal.browser().open(path)).words).toContain('Sign in with eID')
    const { browser, email } = await newUser()
    for (const path of ['/verify-email', '/verify-email/code', '/verify-email/resend'])
      expect((await browser.post(path, { email, code: '123456' })).status).toBe(403)
    expect(mail.mails.filter(({ to }) => to.includes(email))).toEqual([])
  })
})

describe('a code', () => {
  it('is void after five wrong tries; a new one works', async () => {
    const { browser, email, id } = await newUser('/select?all')
    await browser.press('Send me a code')
    const code = mail.codeFor(email)
    for (const left of ['4 tries left', '3 tries left', '2 tries left', 'one try left']) {
      const page = await verify(browser, otherThan(code))
      // The answer to the form is a redirect, so that the back button does not send the code again.
      expect([page.status, page.url.searchParams.get('problem')]).toEqual([200, 'wrong'])
      expect(problemOf(page)).toContain(left)
    }
    const last = await verify(browser, otherThan(code))
    expect([last.status, problemOf(last)]).toEqual([200, expect.stringContaining('incorrectly too many times')])
    const token = String(last.$('input[name=_csrf]').val())
    const right = await browser.post('/verify-email/code', { _csrf: token, code, returnTo: '/select?all' })
    expect([right.status, right.url.pathname]).toEqual([200, '/verify-email/code'])
    expect(await verifiedOf(id)).toBeNull()
    expect((await auditOf(id)).map(({ details }) => (details as { reason: string }).reason)).toEqual([
      ...Array.from({ length: 5 }, () => 'wrong code'),
      'used up',
    ])
    const again = await browser.press('Send a new code')
    expect(again.words).toContain('A new code is on its way.')
    expect((await verify(browser, mail.codeFor(email))).url.pathname).toBe('/select')
    expect(await verifiedOf(id)).toBe(email)
  })

  it('that is not six digits does not count as a try', async () => {
    const { browser, email, id } = await newUser()
    await browser.press('Send me a code')
    for (const typed of ['', '12345', '1234567', 'abcdef', '12345６', '<script>']) {
      const page = await verify(browser, typed)
      expect([page.status, problemOf(page)]).toEqual([200, expect.stringContaining('Enter all 6 digits.')])
    }
    await verify(browser, mail.codeFor(email))
    expect(await verifiedOf(id)).toBe(email)
  })

  it('expires after ten minutes', async () => {
    const { browser, email, id } = await newUser()
    await browser.press('Send me a code')
    const code = mail.codeFor(email)
    const age = (seconds: number) =>
      query('update email_codes set sent_at = now() - make_interval(secs => $2) where user_id = $1', [id, seconds])
    await age(601)
    const page = await verify(browser, code)
    expect([page.status, problemOf(page)]).toEqual([200, expect.stringContaining('more than 10 minutes ago')])
    expect(page.$('#code')).toHaveLength(0)
    await expect.poll(async () => (await auditOf(id)).at(-1)?.['details']).toEqual({ reason: 'expired' })
    await browser.press('Send a new code')
    await age(590)
    expect((await verify(browser, mail.codeFor(email))).url.pathname).toBe('/select')
  })

  it('is void when a new one is sent, and for another address or user', async () => {
    const { browser, email, id } = await newUser()
    await browser.press('Send me a code')
    const first = mail.codeFor(email)
    await browser.press('Send a new code')
    const second = mail.codeFor(email)
    // Both codes are equal in one run of a million.
    expect(problemOf(await verify(browser, first))).toContain('Incorrect code.')
    // An attacker with write access to the table cannot move a code to another address.
    await query("update email_codes set email = 'victim@example.com' where user_id = $1", [id])
    expect(problemOf(await verify(browser, second))).toContain('Incorrect code.')
    const other = await newUser()
    await other.browser.press('Send me a code')
    await query(
      'update email_codes set code_mac = (select code_mac from email_codes where user_id = $1) where user_id = $2',
      [id, other.id],
    )
    expect(problemOf(await verify(other.browser, second))).toContain('Incorrect code.')
  })

  it('allows five guesses, even when more arrive concurrently', async () => {
    const { browser, email, id } = await newUser()
    const form = await browser.press('Send me a code')
    const code = mail.codeFor(email)
    const token = String(form.$('input[name=_csrf]').val())
    await Promise.all(
      Array.from({ length: 12 }, async () =>
        browser.post('/verify-email/code', { _csrf: token, code: otherThan(code) }, { follow: false }),
      ),
    )
    const { rows } = await query('select tries from email_codes where user_id = $1', [id])
    expect(rows).toEqual([{ tries: 5 }])
    const wrong = (await auditOf(id)).filter(({ details }) => (details as { reason: string }).reason === 'wrong code')
    expect(wrong).toHaveLength(5)
  })

  it('works once; a second submit of the same form succeeds as well', async () => {
    const { browser, email, id } = await newUser()
    const form = await browser.press('Send me a code')
    const fields = { _csrf: String(form.$('input[name=_csrf]').val()), code: mail.codeFor(email) }
    const submit = () => browser.post('/verify-email/code', fields, { follow: false })
    // The second arrives before the first has given the session a new ID.
    const both: Visit[] = []
    both.push(
      await whileHeld(portal.database.kysely, /^update "sessions" set "id"/, submit, async () => {
        both.push(await submit())
      }),
    )
    expect(both).toHaveLength(2)
    for (const { status, headers } of both) expect([status, headers['location']]).toEqual([303, '/select'])
    expect((await auditOf(id)).filter(({ event }) => event === 'e-mail verified')).toHaveLength(1)
    expect((await query('select * from email_codes where user_id = $1', [id])).rows).toEqual([])
    expect((await browser.open('/verify-email/code')).url.pathname).toBe('/verify-email')
  })

  it('is not stored in plain text, nor is the address in the counted mails', async () => {
    const { browser, email, id } = await newUser()
    await browser.press('Send me a code')
    const { rows: codes } = await query('select * from email_codes where user_id = $1', [id])
    const { rows: mails } = await query('select * from code_mails where user_id = $1', [id])
    expect([codes.length, mails.length]).toEqual([1, 1])
    expect(JSON.stringify({ ...codes[0], sent_at: null, user_id: null })).not.toContain(mail.codeFor(email))
    expect(codes[0]?.['code_mac']).toMatch(/^[\w-]{43}$/)
    expect(JSON.stringify(mails)).not.toContain(email)
  })
})

describe('the limit of mails', () => {
  const anHourLater = (id: string) =>
    query("update code_mails set at = at - interval '1 hour' where user_id = $1", [id])

  it('is five an hour per user; the form keeps the typed address', async () => {
    const { browser, id } = await newUser()
    for (const nth of [1, 2, 3, 4, 5]) {
      await browser.open('/verify-email')
      expect((await send(browser, `many-${nth}@example.com`)).status).toBe(200)
    }
    await browser.open('/verify-email')
    const page = await send(browser, 'many-6@example.com')
    expect([page.status, problemOf(page)]).toEqual([429, expect.stringMatching(/Wait (59|60) minutes/)])
    expect(Number(page.headers['retry-after'])).toBeGreaterThan(3500)
    expect(page.$('#email').attr('value')).toBe('many-6@example.com')
    expect(page.words).toContain('many-5@example.com a moment ago and can still be used')
    await browser.open('/verify-email/code')
    const again = await browser.press('Send a new code')
    expect(again.status).toBe(429)
    expect(again.$('#code')).toHaveLength(1)
    expect((await auditOf(id)).at(-1)?.['details']).toEqual({ reason: 'too many mails' })
    await anHourLater(id)
    expect((await browser.press('Send a new code')).status).toBe(200)
    // Rows older than the limit's window are deleted.
    expect((await query('select 1 from code_mails where user_id = $1', [id])).rows).toHaveLength(1)
  })

  it('is three an hour per address, in any spelling and from any user', async () => {
    const four = [await newUser(), await newUser(), await newUser(), await newUser()]
    const answers: [number, string][] = []
    for (const [nth, { browser }] of four.entries()) {
      const page = await send(browser, nth === 1 ? 'SHARED@Example.COM' : 'shared@example.com')
      answers.push([page.status, page.url.pathname])
    }
    const sent = [200, '/verify-email/code'] as const
    expect(answers).toEqual([sent, sent, sent, [429, '/verify-email']])
  })

  it('is three an hour per mailbox, whatever its tags and dots', async () => {
    const spellings = ['kari.n@gmail.com', 'karin+1@gmail.com', 'K.A.R.I.N+x+y@googlemail.com', 'k.arin@gmail.com']
    const statuses = []
    for (const spelling of spellings) statuses.push((await send((await newUser()).browser, spelling)).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    // Elsewhere a dot is another mailbox.
    for (const spelling of ['tag.a@example.net', 'tag.a+1@example.net', 'tag.a+2@example.net', 'taga@example.net'])
      expect((await send((await newUser()).browser, spelling)).status).toBe(200)
    expect((await send((await newUser()).browser, 'tag.a+3@example.net')).status).toBe(429)
  })

  it('of strangers does not keep an address from the user whose eID names it', async () => {
    const owner = await newUser()
    for (const stranger of [await newUser(), await newUser(), await newUser()])
      expect((await send(stranger.browser, owner.email)).status).toBe(200)
    expect((await send((await newUser()).browser, owner.email)).status).toBe(429)
    for (const nth of [1, 2, 3]) {
      const form = await owner.browser.open('/verify-email')
      expect([nth, form.$('#email').attr('value')]).toEqual([nth, owner.email])
      expect([nth, (await owner.browser.press('Send me a code')).status]).toEqual([nth, 200])
    }
    await owner.browser.open('/verify-email')
    const page = await owner.browser.press('Send me a code')
    expect([page.status, problemOf(page)]).toEqual([429, expect.stringContaining('Look for a code')])
    // Nor do the owner's mails keep the address from others for longer than their own do.
    await query("update code_mails set at = at - interval '1 hour' where not own")
    expect((await send((await newUser()).browser, owner.email)).status).toBe(200)
  })

  it.each([
    ['a domain', 100, `domain_mac = (select domain_mac from code_mails order by id desc limit 1)`, 429, 200],
    ['all', 500, 'true', 429, 429],
  ])(
    'holds for %s: %i an hour, but not for the user whose eID names the address',
    async (what, most, where, same, other) => {
      const slug = what.replace(' ', '-')
      const { browser } = await newUser()
      expect((await send(browser, `first@${slug}.example`)).status).toBe(200)
      await query(
        `insert into code_mails (user_id, mailbox_mac, domain_mac, own)
      select user_id, 'mailbox ' || n, domain_mac, false
      from code_mails, generate_series(1, $1::int - (select count(*)::int from code_mails where not own and ${where})) n
      where code_mails.id = (select max(id) from code_mails)`,
        [most],
      )
      const next = await send((await newUser()).browser, `second@${slug}.example`)
      expect([next.status, (await send((await newUser()).browser, `third@other-${slug}.example`)).status]).toEqual([
        same,
        other,
      ])
      const named = await signInAs({ portal, provider }, { sub: `named-${slug}`, email: `named@${slug}.example` })
      expect((await named.browser.press('Send me a code')).status).toBe(200)
      await query("update code_mails set at = at - interval '1 hour'")
    },
  )

  it('holds for concurrent requests', async () => {
    const { browser, page, email } = await newUser()
    const token = String(page.$('input[name=_csrf]').val())
    const all = await Promise.all(
      Array.from({ length: 8 }, async () => browser.post('/verify-email', { _csrf: token, email }, { follow: false })),
    )
    const targets = all.map(({ headers }) => String(headers['location']).replace(/=\d+$/, ''))
    expect(targets.filter((to) => to.startsWith('/verify-email/code'))).toHaveLength(3)
    expect(targets.filter((to) => to.endsWith('&problem=limit&wait'))).toHaveLength(5)
    expect(mail.mails.filter(({ to }) => to.includes(email))).toHaveLength(3)
  })
})

describe('a form that is refused', () => {
  it('is answered with a redirect, keeps the address, and leaves it out of URLs', async () => {
    const { browser } = await newUser('/select?all')
    const refused = await browser.press('Send me a code', { typed: { email: 'kari@nowhere' }, follow: false })
    expect([refused.status, refused.headers['location']]).toEqual([
      303,
      '/verify-email?returnTo=%2Fselect%3Fall&problem=invalid',
    ])
    const form = await browser.open(String(refused.headers['location']))
    expect([problemOf(form), form.$('#email').attr('value')]).toEqual([
      expect.stringContaining('Enter an email address like name@example.com.'),
      'kari@nowhere',
    ])
    await send(browser, 'kari@example.org')
    expect((await browser.open('/verify-email')).text).not.toContain('kari@nowhere')
    refuse.data = 451
    const again = await browser.open('/verify-email/code')
    const resent = await browser.press('Send a new code', { follow: false })
    delete refuse.data
    expect([resent.status, resent.headers['location']]).toEqual([
      303,
      '/verify-email/code?returnTo=%2Fselect&problem=down',
    ])
    expect(again.$('#code').attr('value')).toBeUndefined()
  })
})

describe('an e-mail address', () => {
  it('that another user has gets the same answer as an unknown one', async () => {
    const taken = await newUser()
    await taken.browser.press('Send me a code')
    await verify(taken.browser, mail.codeFor(taken.email))
    const [one, other] = [await newUser(), await newUser()]
    const known = await send(one.browser, taken.email)
    const unknown = await send(other.browser, 'unknown-address@example.com')
    expect([known.status, known.words.replaceAll(taken.email, '…')]).toEqual([
      unknown.status,
      unknown.words.replaceAll('unknown-address@example.com', '…'),
    ])
  })

  it('that the mail server refuses gets the same answer, and the refusal is logged', async () => {
    const { browser, email } = await newUser()
    refuse.rcpt = 550
    const page = await browser.press('Send me a code')
    delete refuse.rcpt
    expect([page.status, page.url.pathname]).toEqual([200, '/verify-email/code'])
    expect(page.words).toContain(`a 6-digit code to ${email}`)
    expect(portal.log()).toMatch(/"answer":550.*mail recipient refused/)
  })

  it.each([
    '',
    'x',
    'a@b',
    '@example.com',
    'a@example.com, b@example.com',
    'Name <a@example.com>',
    'a@example.com\r\nBcc: b@example.com',
    'a\r\n@example.com',
    'a@example.com\u0007',
    '"a b"@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(63)}.com`,
    'x'.repeat(3000),
  ])('that is invalid is refused, and the form keeps it: %.40j', async (typed) => {
    const { browser } = await newUser()
    const mails = mail.mails.length
    const page = await send(browser, typed)
    expect([page.status, problemOf(page)]).toEqual([400, expect.stringContaining('Enter an email address')])
    // A value far longer than the field allows is not shown again.
    const kept = typed.length > 500 ? '' : typed.replaceAll('\r\n', '\n').trim()
    expect(page.$('#email').attr('value')?.trim()).toBe(kept)
    expect(mail.mails).toHaveLength(mails)
  })

  it('can be changed with a code, and stays the old one until then', async () => {
    const { browser, email, id } = await newUser()
    await browser.press('Send me a code')
    await verify(browser, mail.codeFor(email))
    await browser.open('/profile')
    const form = await browser.follow('Change email address')
    expect(form.$('h1').text()).toBe('Change your email address')
    const next = `next-${email}`
    const asked = await send(browser, next)
    expect(asked.words).toContain(`Keep ${email}`)
    expect(await verifiedOf(id)).toBe(email)
    expect((await browser.open('/select')).url.pathname).toBe('/select')
    await browser.open('/verify-email/code?returnTo=/profile')
    const done = await verify(browser, mail.codeFor(next))
    expect([done.url.pathname, await verifiedOf(id)]).toEqual(['/profile', next])
    expect(done.words).toContain(next)
  })
})

it('a mail server failure answers 503, keeps the form and does not count against the limit', async () => {
  const { browser, email, id } = await newUser()
  await browser.press('Send me a code')
  const first = mail.codeFor(email)
  const { port } = mail
  await mail.stop()
  for (const nth of [1, 2, 3, 4, 5, 6]) {
    const page = await browser.press('Send a new code')
    expect([nth, page.status, problemOf(page)]).toEqual([nth, 503, expect.stringContaining('could not be sent')])
    expect(page.$('#code')).toHaveLength(1)
  }
  await browser.open('/verify-email')
  const typed = await send(browser, 'kept@example.com')
  expect([typed.status, typed.$('#email').attr('value')]).toEqual([503, 'kept@example.com'])
  mail = await startMailServer({ port, refuse })
  refuse.data = 451
  expect((await browser.press('Try again')).status).toBe(503)
  delete refuse.data
  expect((await browser.press('Try again')).url.pathname).toBe('/verify-email/code')
  await query('delete from email_codes where user_id = $1', [id])
  expect((await query('select 1 from code_mails where user_id = $1', [id])).rows).toHaveLength(2)
  expect(first).toMatch(/^\d{6}$/)
})

it('the previous code stays valid when a new one could not be sent', async () => {
  const { browser, email, id } = await newUser()
  await browser.press('Send me a code')
  refuse.data = 451
  expect((await browser.press('Send a new code')).status).toBe(503)
  delete refuse.data
  await verify(browser, mail.codeFor(email))
  expect(await verifiedOf(id)).toBe(email)
})

it('without a mail server the page says so, and the profile works', async () => {
  const bare = await startPortalOf(provider.issuer, { database: portal.database })
  const { browser, page } = await signInAs({ portal: bare, provider }, { sub: 'bare' })
  expect([page.url.pathname, page.status]).toEqual(['/verify-email', 200])
  expect(page.words).toContain('has not set up email yet')
  expect(page.$('form[action="/verify-email"]')).toHaveLength(0)
  const profile = await browser.open('/profile')
  expect(profile.words).toContain('Not verified yet')
  const token = String(profile.$('input[name=_csrf]').val())
  const sent = await browser.post('/verify-email', { _csrf: token, email: 'a@example.com' })
  expect([sent.status, sent.words]).toEqual([200, expect.stringContaining('has not set up email yet')])
  const vouched = await signInAs({ portal: bare, provider }, { sub: 'vouched', email_verified: true })
  expect(vouched.page.url.pathname).toBe('/select')
  await bare.stop()
})

it('the log contains no code and no address at any level', () => {
  const log = portal.log()
  expect(log).toContain('"event":"e-mail verified"')
  expect(mail.mails.length).toBeGreaterThan(1)
  expect(log).not.toMatch(/@example\.com/i)
  for (const { text } of mail.mails) {
    const code = String(/^\s+(\d{3} \d{3})$/m.exec(text)?.[1])
    // The digits may be part of an ID or a time, so only a whole value counts.
    expect(log).not.toContain(code)
    expect(log).not.toContain(`"${code.replace(' ', '')}"`)
  }
})
