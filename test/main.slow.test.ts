import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestSchema } from './support/database.ts'
import { start } from './support/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-main-'))
let databaseUrl: string
let slowEid: Server
let answer: (() => void) | undefined

beforeAll(async () => {
  databaseUrl = await createTestSchema()
  // An eID provider with slow discovery: a request to /login waits until the test answers.
  slowEid = createServer((_req, res) => {
    answer = () => res.writeHead(503).end()
  })
  slowEid.listen(0, '127.0.0.1')
  await once(slowEid, 'listening')
})
afterAll(async () => {
  slowEid.close()
  slowEid.closeAllConnections()
  rmSync(directory, { recursive: true, force: true })
})

function environment(): Record<string, string> {
  const organisations = join(directory, 'organisations.json')
  writeFileSync(organisations, JSON.stringify({ partners: [] }))
  return {
    PORT: '0',
    PORTAL_URL: 'http://127.0.0.1:3000',
    OIDC_ISSUER: `http://127.0.0.1:${(slowEid.address() as AddressInfo).port}`,
    OIDC_CLIENT_ID: 'portal',
    OIDC_CLIENT_SECRET: 'secret',
    SESSION_SECRETS: 'a-session-secret-of-32-characters',
    ORGANISATIONS_FILE: organisations,
    DATABASE_URL: databaseUrl,
  }
}

it('the portal reports every configuration error and exits 1', async () => {
  const portal = start('src/main.ts', { cwd: directory, env: { PORT: 'x', LOG_LEVEL: 'x' } })
  expect(await portal.ended).toBe(1)
  for (const variable of [
    'PORT',
    'LOG_LEVEL',
    'DATABASE_URL',
    'PORTAL_URL',
    'OIDC_ISSUER',
    'SESSION_SECRETS',
    'ORGANISATIONS_FILE',
  ]) {
    expect(portal.output()).toMatch(new RegExp(`^ *${variable} `, 'm'))
  }
  expect(portal.output()).not.toMatch(/\bat .*\.ts:\d+/)
})

it('the portal reports that the port is in use and exits 1', async () => {
  const { port } = slowEid.address() as AddressInfo
  const portal = start('src/main.ts', { cwd: directory, env: { ...environment(), PORT: String(port) } })
  expect(await portal.ended).toBe(1)
  expect(portal.output()).toMatch(/cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE/)
  expect(portal.output()).not.toMatch(/\bat .*\.ts:\d+/)
})

it('the portal names variables that have no effect in .env', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'portal-main-'))
  writeFileSync(join(cwd, '.env'), 'NODE_EXTRA_CA_CERTS=/etc/ca.pem\nHTTPS_PROXY=http://proxy:3128\nPORT=0\n')
  const portal = start('src/main.ts', { cwd, env: { ...environment(), HTTPS_PROXY: 'http://127.0.0.1:1' } })
  expect(await portal.ended).toBe(1)
  expect(portal.output()).toBe(
    'Invalid configuration:\n  NODE_EXTRA_CA_CERTS has no effect in .env, because Node.js reads it first: set it for the process instead\n',
  )
  rmSync(cwd, { recursive: true, force: true })
})

it('the portal prints nothing but JSON, also about warnings of its libraries and a database that it cannot use', async () => {
  const url = new URL(databaseUrl)
  url.host = '127.0.0.1:1'
  url.searchParams.delete('host')
  url.searchParams.set('sslmode', 'require')
  const portal = start('src/main.ts', { cwd: directory, env: { ...environment(), DATABASE_URL: url.href } })
  expect(await portal.ended).toBe(1)
  const lines = portal.output().trim().split('\n')
  const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  expect(messages).toContain('process warning')
  expect(messages.at(-1)).toBe('portal not started: cannot connect to the database: connect ECONNREFUSED 127.0.0.1:1')
})

it('npm start passes SIGTERM on to the portal', async () => {
  const npm = spawn('npm', ['start'], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, ...environment() },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  npm.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await expect.poll(() => output, { timeout: 20_000 }).toContain('"msg":"portal ready"')
  npm.kill('SIGTERM')
  await once(npm, 'close')
  expect(output).toContain('"msg":"portal stopped"')
})

it('the portal fails readiness at once on SIGTERM, completes requests in flight, and exits 0', async () => {
  const portal = start('src/main.ts', { cwd: directory, env: environment() })
  const url = (await portal.says(/"url":"(http:[^"]+)"/))[1] ?? ''
  expect((await fetch(`${url}/readyz`)).status).toBe(200)

  // Uses the open connection: a closed listener accepts no new ones.
  const keptAlive = request(`${url}/login`)
  const underWay = once(keptAlive, 'response')
  keptAlive.end()
  await once(keptAlive, 'finish')
  portal.child.kill('SIGTERM')
  await portal.says(/"msg":"portal stopping"/)
  const notReady = await fetch(`${url}/readyz`)
  expect([notReady.status, await notReady.json()]).toEqual([503, { status: 'not ready', reason: 'stopping' }])
  await expect
    .poll(async () => fetch(`${url}/healthz`).then(String, (error: Error) => error.message), { timeout: 20_000 })
    .toBe('fetch failed')
  answer?.()
  const [response] = (await underWay) as [{ statusCode: number }]
  expect(response.statusCode).toBe(503)
  expect(await portal.ended).toBe(0)
  expect(portal.output()).toContain('"msg":"portal stopped"')
})

it('the portal reloads the organisations on SIGHUP', async () => {
  const env = environment()
  const portal = start('src/main.ts', { cwd: directory, env })
  const url = (await portal.says(/"url":"(http:[^"]+)"/))[1] ?? ''
  const keys = { type: 'management', clientId: 'id', clientSecret: 'secret-of-the-tests' }
  const partners = [{ id: '12345', name: 'Bikes', keys }]
  writeFileSync(env['ORGANISATIONS_FILE'] ?? '', JSON.stringify({ partners }))
  portal.child.kill('SIGHUP')
  // Either the signal or the file watcher reloads first.
  await portal.says(/"cause":"(signal|file)".*"msg":"credentials reloaded"/)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  portal.child.kill('SIGTERM')
  expect(await portal.ended).toBe(0)
  expect(portal.output()).not.toContain('secret-of-the-tests')
})
