import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let cookie: string
beforeAll(async () => {
  test = await startTestPortal({ synced: false })
  cookie = `portal=${(await test.signedIn('Kari Nordmann')).cookie('portal')}`
})
afterAll(async () => test.stop())

/** Sends this request line and these headers as they are, and returns status and body of the response. */
async function sendRaw(requestLine: string, headers: readonly string[] = [], body = '') {
  const socket = connect(Number(new URL(test.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const lines = [requestLine, 'Host: portal', 'Accept-Language: en', 'Connection: close', ...headers]
  socket.write(`${lines.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  const answer = await text(socket)
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), answer }
}

/** The log contains neither a stack of a refusal nor this text, which stood in the request. */
function expectNothingLogged(needle: string): void {
  const log = test.log()
  expect(log).toContain('"msg":"error page"')
  expect(log).not.toContain(needle)
  expect(log).not.toMatch(/"stack":"(BadRequestError|URIError|UnsupportedMediaType)/)
}

describe('a request target that is no path', () => {
  it.each([
    'OPTIONS *',
    'GET *needle',
    'GET http://needle.example/profile',
    'GET needle.example:443',
    'GET needle',
    'GET /partners/needle%zz',
    'GET /partners/needle%E0%A4%A/sales-units',
    'GET /needle%',
    'GET /assets/needle%ff',
    'POST /verify-email/needle%c3%28',
  ])('is answered with the 400 page, and is not in the log: %s', async (target) => {
    for (const headers of [[], [`Cookie: ${cookie}`]]) {
      const { status, answer } = await sendRaw(`${target} HTTP/1.1`, headers)
      expect([target, status]).toEqual([target, 400])
      // Node refuses some targets itself, in plain text.
      expect(answer).toMatch(/This link does not work|This is not a request we understand/)
      expectNothingLogged('needle')
    }
  })

  it('is answered in words also when it is an authority', async () => {
    const { status, answer } = await sendRaw('CONNECT needle.example:443 HTTP/1.1')
    expect([status, answer]).toEqual([400, expect.stringContaining('This is not a request we understand.')])
    expectNothingLogged('needle')
  })
})

describe('a body that cannot be read', () => {
  it.each([
    ['charset', 'Content-Type: application/x-www-form-urlencoded; charset=needle'],
    ['encoding', 'Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: needle'],
  ])('is answered with 400, and its %s is not in the log', async (_what, header) => {
    for (const path of ['/verify-email', '/logout', '/auth/backchannel-logout']) {
      const { status } = await sendRaw(`POST ${path} HTTP/1.1`, [`Cookie: ${cookie}`, header], '_csrf=x')
      expect([path, status]).toEqual([path, 400])
    }
    expectNothingLogged('needle')
  })
})
