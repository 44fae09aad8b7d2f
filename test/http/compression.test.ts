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

/** The response with its body as sent, still compressed. */
async function fetchRaw(path: string, headers: Record<string, string>) {
  const cookie = `portal=${kari.cookie('portal')}`
  const call = get(test.url + path, { headers: { cookie, ...headers } })
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return { headers: answer.headers, status: answer.statusCode, bytes: Buffer.concat(chunks) }
}

const decompress = { br: brotliDecompressSync, gzip: gunzipSync }

async function style(): Promise<string> {
  const { $ } = await kari.open('/profile')
  return String($('link[rel=stylesheet]').attr('href'))
}

describe.each(['br', 'gzip'] as const)('with Accept-Encoding: %s', (encoding) => {
  it('pages are compressed, with Content-Encoding and Vary', async () => {
    const plain = await fetchRaw('/partners/12345/sales-units', { 'Accept-Encoding': 'identity' })
    const compressed = await fetchRaw('/partners/12345/sales-units', { 'Accept-Encoding': encoding })
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(compressed.headers['content-encoding']).toBe(encoding)
    for (const { headers } of [plain, compressed]) expect(headers.vary).toContain('Accept-Encoding')
    expect(decompress[encoding](compressed.bytes).toString()).toContain('Ole&#39;s Gym')
    expect(compressed.bytes.length).toBeLessThan(plain.bytes.length / 3)
  })

  it('static files are compressed and cached', async () => {
    const path = await style()
    const plain = await fetchRaw(path, { 'Accept-Encoding': 'identity' })
    for (let round = 0; round < 2; round += 1) {
      const compressed = await fetchRaw(path, { 'Accept-Encoding': encoding })
      expect(compressed.headers).toMatchObject({
        'content-encoding': encoding,
        'content-length': String(compressed.bytes.length),
        'cache-control': 'public, max-age=31536000, immutable',
        'content-type': 'text/css; charset=utf-8',
        etag: plain.headers.etag,
      })
      expect(compressed.headers.vary).toContain('Accept-Encoding')
      expect(decompress[encoding](compressed.bytes).equals(plain.bytes)).toBe(true)
    }
  })

  it('small responses and compressed downloads are not compressed', async () => {
    const tiny = await fetchRaw('/healthz', { 'Accept-Encoding': encoding })
    expect(tiny.headers['content-encoding']).toBeUndefined()
    const sheet = await fetchRaw('/partners/12345/sales-units.xlsx', { 'Accept-Encoding': encoding })
    expect(sheet.status).toBe(200)
    expect(sheet.headers['content-encoding']).toBeUndefined()
  })
})

it('what browsers ask for is compressed with Brotli, although they name gzip first', async () => {
  const headers = { 'Accept-Encoding': 'gzip, deflate, br, zstd' }
  for (const path of ['/partners/12345/sales-units', await style()])
    expect([path, (await fetchRaw(path, headers)).headers['content-encoding']]).toEqual([path, 'br'])
})

it('a cached static file is answered with 304', async () => {
  const path = await style()
  const { headers } = await fetchRaw(path, { 'Accept-Encoding': 'br' })
  const again = await fetchRaw(path, { 'Accept-Encoding': 'br', 'If-None-Match': String(headers.etag) })
  expect([again.status, again.bytes.length]).toEqual([304, 0])
})

describe('the size of a page', () => {
  const compressedSize = async (path: string) => (await fetchRaw(path, { 'Accept-Encoding': 'br' })).bytes.length

  it('is at most 120 KB with all assets, 15 KB for the HTML and 20 KB for the scripts', async () => {
    const list = await kari.open('/partners/12345/sales-units')
    const assets = list
      .$('link[href^="/assets"], script[src]')
      .toArray()
      .map((element) => String(list.$(element).attr('href') ?? list.$(element).attr('src')))
    const sizes = new Map<string, number>()
    for (const path of assets) sizes.set(path, await compressedSize(path))
    const html = await compressedSize('/partners/12345/sales-units')
    const sum = (some: readonly number[]) => some.reduce((all, size) => all + size, 0)
    const scripts = [...sizes].filter(([path]) => path.endsWith('.js')).map(([, size]) => size)
    expect(scripts.length).toBeGreaterThan(4)
    expect(sum(scripts)).toBeLessThanOrEqual(20 * 1024)
    expect(sum([...sizes.values(), html])).toBeLessThanOrEqual(120 * 1024)
    expect(html).toBeLessThanOrEqual(15 * 1024)
  })
})

describe('the CSRF token', () => {
  it('is masked differently on every page and accepted each time', async () => {
    const tokenOf = async () => String((await kari.open('/profile')).$('input[name=_csrf]').first().val())
    const tokens = [await tokenOf(), await tokenOf(), await tokenOf()]
    expect(new Set(tokens).size).toBe(3)
    for (const token of tokens)
      expect((await kari.post('/session/stay', { _csrf: token, returnTo: '/profile' })).status).toBe(200)
    for (const token of ['', 'AA', `${tokens[0]}AA`, 'x'.repeat(5000)])
      expect((await kari.post('/session/stay', { _csrf: token, returnTo: '/profile' })).status).toBe(403)
  })
})
