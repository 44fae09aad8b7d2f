import { request as send } from 'node:http'
import { load } from 'cheerio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { linesOf } from '../support/page-content.ts'

let test: TestPortal
let cookie: string
beforeAll(async () => {
  test = await startTestPortal()
  cookie = `portal=${(await test.signedIn('Åse Bjørk')).cookie('portal')}`
})
afterAll(async () => test.stop())

type Answer = { status: number; headers: NodeJS.Dict<string | string[]>; text: string }

/** Sends the path and headers as they are: fetch would normalise them. */
function raw(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; anonymous?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(test.url)
    const headers = {
      ...(options.anonymous ? {} : { Cookie: cookie }),
      ...(options.body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(options.body)) }),
      ...options.headers,
    }
    const call = send({ host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
    })
    call.on('error', reject).end(options.body)
  })
}

/** Expects a page in the portal's layout without internals. */
function expectPage({ headers, text }: Answer, signedIn = true): void {
  const $ = load(text)
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  expect($('header.bar .brand')).toHaveLength(1)
  expect($('header a[href^="/profile"]')).toHaveLength(signedIn ? 1 : 0)
  expect($('main h1').text().length).toBeGreaterThan(10)
  expect($('main a.ds-button')).toHaveLength(1)
  expect($('main').text()).not.toMatch(/Error:|\bat \S+ \(|\.ts\b|node_modules|undefined|Cannot GET/)
  expect(headers['content-security-policy']).toContain("default-src 'none'")
}

const partner = '/partners/12345'
const shop = '/merchants/business:NO:ORG/311900456'

/** The words of a template literal. */
function words(table: string): string[] {
  return table.trim().split(/\s+/)
}

const unknown = words(`
  /no/such/page /%00 /%E0%A4%A /% /..%2f..%2fetc%2fpasswd /../../etc/passwd //evil.example/partners/12345 /.env
  /partners /partners/ /partners/99999 /partners/12345x /partners/12345%00 /partners/%E0%A4%A /partners/__proto__
  /merchants /merchants/business:NO:ORG /merchants/business:NO:ORG/987654321 /merchants/constructor/prototype
  /logout /auth /auth/callback/x /language /language/xx /assets/none/css/portal.css
`)
const unknownInPartner = words(`
  /no/such/page /%00 /%E0%A4%A /Sales%20Units /developers
  /sales-units/abc /sales-units/123 /sales-units/12345678901 /sales-units/-12345 /sales-units/1e5 /sales-units/%00
  /sales-units/%E0%A4%A /sales-units/123456%2F.. /sales-units/123456/x /sales-units/%31%32%33%34%35%36%37
  /merchants/business:NO:ORG /merchants/NO:ORG/311900456 /merchants/business:no:org/311900456
  /merchants/business:NO:ORG/abc /merchants/business:NO:ORG/1 /merchants/business:NO:ORG/311900456%2Fsales-units
  /merchants/business%3ANO%3AORG%00/311900456 /merchants/../../12345
  /product-orders/1 /product-orders/not-a-uuid /product-orders/12745d37-ce52-55a3-bb28-0479c9d32d7
  /product-orders/12745d37-ce52-55a3-bb28-0479c9d32d7g /product-orders/12745d37-ce52-55a3-bb28-0479c9d32d7d
  /developers/webhooks?page=999999
`)
const unknownInMerchant = words('/product-orders /price-packages /sales-units/abc')

describe('an unknown URL', () => {
  it.each([
    ...unknown,
    `/${'a/'.repeat(4000)}`,
    ...unknownInPartner.map((path) => partner + path),
    `${partner}/sales-units/${'9'.repeat(5000)}`,
    `${partner}/merchants/business:NO:ORG/${'1'.repeat(51)}`,
    ...unknownInMerchant.map((path) => shop + path),
  ])('shows an error page: %.80s', async (path) => {
    const answer = await raw(path)
    expect([404, 400]).toContain(answer.status)
    expectPage(answer)
  })

  it.each(['/%E0%A4%A', `${partner}/%E0%A4%A`])(
    'that cannot be decoded is 400 for a signed-out visitor: %s',
    async (path) => {
      const answer = await raw(path, { anonymous: true })
      expect(answer.status).toBe(400)
      expectPage(answer, false)
    },
  )

  it('redirects a signed-out visitor to the sign-in page', async () => {
    for (const path of ['/%00', '//evil.example', `/${'a/'.repeat(1500)}`, `${partner}/sales-units/%00`]) {
      const answer = await raw(path, { anonymous: true })
      expect([path.slice(0, 40), answer.status]).toEqual([path.slice(0, 40), 302])
      expect(answer.headers.location).toMatch(/^\/(\?returnTo=%2F|$)/)
      const page = await raw(String(answer.headers.location), { anonymous: true })
      expect(page.status).toBe(200)
      expect(load(page.text)('main a.ds-button').attr('href')).toMatch(/^\/login\?returnTo=%2F(?!%2F|\/)/)
    }
  })
})

describe('a query', () => {
  const inAllLists = [
    ...words(`
      page=-1 page=0 page=01 page=abc page=1.5 page=1e3 page=%201 page=99999999999999999999 page=1&page=2
      q=%00 q=a%00b q=a%0D%0ASet-Cookie:%20a=b q=a&q=b
    `),
    `q=${'q'.repeat(10_000)}`,
    `q=${'%C3%A6'.repeat(101)}`,
  ]
  const orders = words(`
    status=received status=NO_SUCH status=RECEIVED&status=COMPLETED status=__proto__ status=%00
    type=NO_SUCH type=1 product=NO_SUCH product=PAYMENT%20INTEGRATION
    waiting=2 waiting=true expiring=0 expiring=-1 expiring=x expiring=3&expiring=3 expiring=999 changed=1.5 new=367
    month=2026 month=2026-13 month=1999-01 month=2026-00 reached=4 reached=nowhere market=XX market=no sort=nothing by=name sort=-
  `)
  const units = words(`
    market=XX market=NO&market=DK capture=directcapture can=everything can=paymentAllowed&can=__proto__
    new=0 new=1e1 month=november removed=2 removed=true webhooks=some
    sort=msn&sort=name sort=--msn by=id size=26 size=1000 size=-25 size=50&size=50
  `)
  it.each([
    ...[...inAllLists, ...units].map((query) => `${partner}/sales-units?${query}`),
    ...inAllLists.map((query) => `${partner}/templates?${query}`),
    ...inAllLists.map((query) => `${partner}/price-packages?${query}`),
    ...inAllLists.map((query) => `${partner}/developers/webhooks?${query}`),
    ...[...inAllLists, ...orders].map((query) => `${partner}/product-orders?${query}`),
  ])('that is invalid shows the 400 page: %.80s', async (path) => {
    const answer = await raw(path)
    expect(answer.status).toBe(400)
    expectPage(answer)
    expect(load(answer.text)('h1').text()).toBe('This link does not work')
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it.each([
    ...words(
      'page= q= q=&page=1 sort=&by=&size= can= can=&can= market=&capture= new=&removed=&waiting=&month= expired=1 q=%E0%A4%A q=%C3 q x=y&x=z q[a]=b __proto__=x %E0%A4%A=1 &&==?',
    ),
  ])('that is harmless shows the list: %s', async (query) => {
    expect((await raw(`${partner}/sales-units?${query}`)).status).toBe(200)
    expect((await raw(`${partner}/product-orders?${query}`)).status).toBe(200)
  })
})

describe('a page past the end', () => {
  it.each([`${partner}/sales-units`, `${partner}/product-orders`, `${partner}/templates`, `${shop}/sales-units`])(
    'of %s is the last page, and says so',
    async (list) => {
      const answer = await raw(`${list}?page=99`)
      expect(answer.status).toBe(200)
      expect(load(answer.text)('main').text()).toContain('There is no page 99. This is the last page.')
      expect(load(answer.text)('tbody tr').length).toBeGreaterThan(0)
    },
  )
})

describe('another request method', () => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s of a page is answered with the 404 page and changes nothing',
    async (method) => {
      for (const path of [
        partner,
        `${partner}/sales-units`,
        `${partner}/sales-units/123456`,
        '/select',
        '/profile',
        '/login',
      ]) {
        const answer = await raw(path, { method, headers: form, body: 'a=b' })
        expect([method, path, answer.status]).toEqual([method, path, 404])
        expectPage(answer)
      }
      expect((await raw('/profile')).status).toBe(200)
    },
  )

  it.each<[Record<string, string>, string, number]>([
    [form, 'a=b', 403],
    [form, `_csrf=${'x'.repeat(1000)}`, 403],
    [form, `a=${'x'.repeat(500_000)}`, 400],
    [{ 'Content-Type': 'application/json' }, '{"_csrf":', 403],
    [{ ...form, 'Content-Encoding': 'nonsense' }, 'a=b', 400],
    [{ 'Content-Type': 'application/x-www-form-urlencoded; charset=klingon' }, 'a=b', 400],
    [{ ...form, 'Content-Encoding': 'gzip' }, 'not gzip', 400],
    [{ 'Content-Type': 'multipart/form-data; boundary=x' }, '--x', 403],
  ])('POST /logout with %o and %.20s ends no session', async (headers, body, status) => {
    const answer = await raw('/logout', { method: 'POST', headers, body })
    expect(answer.status).toBe(status)
    expectPage(answer)
    expect((await raw('/profile')).status).toBe(200)
  })

  it('HEAD and OPTIONS are answered', async () => {
    expect(await raw(partner, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
    expect((await raw(partner, { method: 'OPTIONS' })).status).toBeLessThan(500)
  })
})

describe('unusual headers', () => {
  it.each<Record<string, string>>([
    { Host: 'evil.example' },
    { Host: 'evil.example:99999' },
    { Host: '"><script>' },
    { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher', 'X-Forwarded-For': 'evil.example' },
    { Accept: 'application/json' },
    { Accept: 'image/png;q=0.1, */*;q=x' },
    { 'Accept-Language': 'evil.example;q=1,'.repeat(300) },
    { 'X-HTTP-Method-Override': 'DELETE', 'X-Original-URL': '/admin' },
    { 'If-None-Match': '"x"', Range: 'bytes=0-1', 'If-Modified-Since': 'yesterday' },
    { Referer: 'http://evil.example', Origin: 'http://evil.example' },
    { 'X-Request-Id': 'evil.example' },
    { 'User-Agent': '' },
  ])('%o do not change the answer', async (headers) => {
    for (const [path, status] of [
      [`${partner}/sales-units`, 200],
      ['/no/such/page', 404],
    ] as const) {
      const answer = await raw(path, { headers })
      expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8'])
      expect(answer.text + JSON.stringify(answer.headers)).not.toContain('evil.example')
    }
  })

  it.each([
    'portal=',
    'portal=s%3Agarbage.signature',
    'portal=%E0%A4%A',
    '=;;;,',
    `portal=${'a'.repeat(4000)}`,
    'language=xx; portal=j:{}',
  ])('an invalid cookie is signed out: %.40s', async (value) => {
    const answer = await raw('/profile', { headers: { Cookie: value } })
    expect([answer.status, answer.headers.location]).toEqual([302, '/?returnTo=%2Fprofile'])
  })
})

it('the requests above log no error', () => {
  expect(linesOf(test.log()).filter(({ level }) => Number(level) >= 50)).toEqual([])
})
