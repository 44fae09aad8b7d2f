import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

/** The bytes as they go over the wire. */
async function fetchRaw(path: string, headers: Record<string, string>) {
  const cookie = `portal=${kari.cookie('portal')}`
  const call = get(test.url + path, { headers: { cookie, ...headers } })
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return { headers: answer.headers, status: answer.statusCode, bytes: Buffer.concat(chunks) }
}

const unpack = { br: brotliDecompressSync, gzip: gunzipSync }

async function style(): Promise<string> {
  const { $ } = await kari.open('/profile')
  return String($('link[rel=stylesheet]').attr('href'))
}

describe.each(['br', 'gzip'] as const)('for who takes %s', (encoding) => {
  it('pages are sent in it, and say so', async () => {
    const plain = await fetchRaw('/partners/12345/sales-units', { 'Accept-Encoding': 'identity' })
    const packed = await fetchRaw('/partners/12345/sales-units', { 'Accept-Encoding': encoding })
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(packed.headers['content-encoding']).toBe(encoding)
    for (const { headers } of [plain, packed]) expect(headers.vary).toContain('Accept-Encoding')
    expect(unpack[encoding](packed.bytes).toString()).toContain('Ole&#39;s Gym')
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 3)
  })

  it('static files are sent in it, and kept', async () => {
    const path = await style()
    const plain = await fetchRaw(path, { 'Accept-Encoding': 'identity' })
    for (let round = 0; round < 2; round += 1) {
      const packed = await fetchRaw(path, { 'Accept-Encoding': encoding })
      expect(packed.headers).toMatchObject({
        'content-encoding': encoding,
        'content-length': String(packed.bytes.length),
        'cache-control': 'public, max-age=31536000, immutable',
        'content-type': 'text/css; charset=utf-8',
        etag: plain.headers.etag,
      })
      expect(packed.headers.vary).toContain('Accept-Encoding')
      expect(unpack[encoding](packed.bytes).equals(plain.bytes)).toBe(true)
    }
  })

  it('tiny answers and downloads that are packed already stay as they are', async () => {
    const tiny = await fetchRaw('/healthz', { 'Accept-Encoding': encoding })
    expect(tiny.headers['content-encoding']).toBeUndefined()
    const sheet = await fetchRaw('/partners/12345/sales-units.xlsx', { 'Accept-Encoding': encoding })
    expect(sheet.status).toBe(200)
    expect(sheet.headers['content-encoding']).toBeUndefined()
  })
})

it('a static file that the browser has is not sent again', async () => {
  const path = await style()
  const { headers } = await fetchRaw(path, { 'Accept-Encoding': 'br' })
  const again = await fetchRaw(path, { 'Accept-Encoding': 'br', 'If-None-Match': String(headers.etag) })
  expect([again.status, again.bytes.length]).toEqual([304, 0])
})

describe('the bytes of a visit', () => {
  const packedSize = async (path: string) => (await fetchRaw(path, { 'Accept-Encoding': 'br' })).bytes.length

  it('are few: the first 120 KB, the next 15 KB; and the scripts 20 KB', async () => {
    const list = await kari.open('/partners/12345/sales-units')
    const assets = list
      .$('link[href^="/assets"], script[src]')
      .toArray()
      .map((element) => String(list.$(element).attr('href') ?? list.$(element).attr('src')))
    const sizes = new Map<string, number>()
    for (const path of assets) sizes.set(path, await packedSize(path))
    const html = await packedSize('/partners/12345/sales-units')
    const sum = (some: readonly number[]) => some.reduce((all, size) => all + size, 0)
    const scripts = [...sizes].filter(([path]) => path.endsWith('.js')).map(([, size]) => size)
    expect(scripts.length).toBeGreaterThan(4)
    expect(sum(scripts)).toBeLessThanOrEqual(20 * 1024)
    expect(sum([...sizes.values(), html])).toBeLessThanOrEqual(120 * 1024)
    expect(html).toBeLessThanOrEqual(15 * 1024)
  })
})

describe('the token of forms', () => {
  it('looks different on every page, and is taken all the same', async () => {
    const tokenOf = async () => String((await kari.open('/profile')).$('input[name=_csrf]').first().val())
    const tokens = [await tokenOf(), await tokenOf(), await tokenOf()]
    expect(new Set(tokens).size).toBe(3)
    for (const token of tokens)
      expect((await kari.post('/session/stay', { _csrf: token, returnTo: '/profile' })).status).toBe(200)
    for (const token of ['', 'AA', `${tokens[0]}AA`, 'x'.repeat(5000)])
      expect((await kari.post('/session/stay', { _csrf: token, returnTo: '/profile' })).status).toBe(403)
  })
})
