import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestSchema } from '../support/database.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { start } from '../support/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-proxy-'))
const organisations = join(directory, 'organisations.json')
const keys = { type: 'partner', clientId: 'id', clientSecret: 'secret-of-the-api', subscriptionKey: 'key-of-the-api' }
let proxy: Server
let answer: (client: Duplex) => void
let asked: string[] = []
/** Speaks TLS, with the expired certificate of its library. */
let expired: MailServer

beforeAll(async () => {
  writeFileSync(organisations, JSON.stringify({ partners: [{ id: '23456', name: 'Bikes', keys }] }))
  proxy = createServer().on('connect', (request, client) => {
    asked.push(request.url ?? '')
    client.on('error', () => {})
    answer(client)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  expired = await startMailServer({ smtp: { secure: true } })
})
afterAll(async () => {
  proxy.close()
  await expired.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Runs `sync`, then `status`, as an operator does. */
async function syncAndStatus(apiUrl: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const common = {
    DATABASE_URL: await createTestSchema(),
    ORGANISATIONS_FILE: organisations,
    MANAGEMENT_API_URL: apiUrl,
    WEBHOOKS_API_URL: apiUrl,
    MANAGEMENT_API_TIMEOUT_MS: '2000',
  }
  const outputs: string[] = []
  for (const args of [['sync'], ['status']]) {
    const command = start('src/cli/main.ts', { cwd: directory, env: { ...common, ...env }, args })
    await command.ended
    outputs.push(command.output())
  }
  expect(outputs.join()).not.toMatch(/secret-of-the-api|key-of-the-api|password-of-the-proxy/)
  return outputs
}

function throughProxy(): Record<string, string> {
  const { port } = proxy.address() as AddressInfo
  return { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: `http://user:password-of-the-proxy@127.0.0.1:${port}` }
}

it.each<[string, (client: Duplex) => void, string]>([
  [
    'does not allow the API',
    (client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\n'),
    'the API did not answer (the proxy answers 403: it must allow this host)',
  ],
  [
    'does not take the password',
    (client) => client.end('HTTP/1.1 407 Authentication Required\r\n\r\n'),
    'the API did not answer (the proxy answers 407: HTTPS_PROXY needs a user and a password that it takes)',
  ],
  ['closes the connection', (client) => client.destroy(), 'the API did not answer (the proxy closed the connection)'],
])('an outgoing proxy that %s is named by sync and status, and asked a few times', async (_what, refuse, words) => {
  answer = refuse
  asked = []
  for (const output of await syncAndStatus('https://api.invalid', throughProxy())) expect(output).toContain(words)
  expect(new Set(asked)).toEqual(new Set(['api.invalid:443']))
  expect(asked.length).toBeLessThan(20)
})

it('a proxy that does not run is named with its address', async () => {
  const outputs = await syncAndStatus('https://api.invalid', {
    NODE_USE_ENV_PROXY: '1',
    HTTPS_PROXY: 'http://127.0.0.1:1',
  })
  for (const output of outputs)
    expect(output).toContain('the API did not answer (cannot connect to 127.0.0.1:1 (ECONNREFUSED))')
})

it('a certificate that has expired is told', async () => {
  for (const output of await syncAndStatus(`https://127.0.0.1:${expired.port}`, {}))
    expect(output).toContain('the API did not answer (the certificate has expired)')
})

it('a name that cannot be resolved is told', async () => {
  for (const output of await syncAndStatus('https://api.invalid', {}))
    expect(output).toContain('the API did not answer (the name api.invalid cannot be resolved (')
})
