import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createDemoManagementApi, type DemoManagementApi } from '../../demo/management-api.ts'
import { parseDemoSwitches } from '../../demo/switches.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { organisationsFile } from '../../demo/world/credentials.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestSchema } from '../support/database.ts'
import { type Running, start } from '../support/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-sync-'))
const switches = parseDemoSwitches(['--sales-units', '40'])
const world = createDemoWorld(switches)
const file = join(directory, 'organisations.json')
let api: DemoManagementApi
let server: Server
const running: Running[] = []

beforeAll(async () => {
  writeFileSync(file, JSON.stringify(organisationsFile(world)))
  api = createDemoManagementApi(world, { ...switches, logger: createLogger('silent') })
  server = createServer(api.app as RequestListener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  Object.assign(api.faults, switches.faults)
})
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL')
  server.close()
  server.closeAllConnections()
  rmSync(directory, { recursive: true, force: true })
})

function syncEnv(): Record<string, string> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ORGANISATIONS_FILE: file,
    MANAGEMENT_API_URL: url,
    WEBHOOKS_API_URL: url,
    MANAGEMENT_API_MAX_PER_SECOND: '200',
  }
}

async function startPortal(database: Readonly<Record<string, string>>): Promise<Running> {
  const env = {
    ...syncEnv(),
    ...database,
    PORT: '0',
    SHUTDOWN_DELAY_MS: '0',
    PORTAL_URL: 'http://127.0.0.1:3000',
    OIDC_ISSUER: 'http://127.0.0.1:9',
    OIDC_CLIENT_ID: 'portal',
    OIDC_CLIENT_SECRET: 'secret',
    SESSION_SECRETS: 'a-session-secret-of-32-characters',
  }
  const portal = start('src/main.ts', { cwd: directory, env })
  running.push(portal)
  await portal.says(/"msg":"portal ready"/)
  return portal
}

async function stop({ child, ended }: Running): Promise<number | null> {
  child.kill('SIGTERM')
  return ended
}

function command(line: string, env: Readonly<Record<string, string>>): Running {
  const process = start('src/cli/main.ts', { cwd: directory, env, args: line.split(' ') })
  running.push(process)
  return process
}

/** Runs the command and returns its output of both streams; fails if it contains a secret. */
async function runCommand(line: string, env: Readonly<Record<string, string>>) {
  const process = command(line, env)
  const exitCode = await process.ended
  const output = process.output()
  expect(output).not.toMatch(/demo-(secret|subscription|token)/)
  expect(output).not.toMatch(/\n\s+at .*\.ts:\d+/)
  return { exitCode, output }
}

const readEverything = /^partner 23456 {2}read: 5 lists, 40 sales units, 10 merchants, webhooks of 40 sales units$/m
function statusOf(what: string, rows: string) {
  return new RegExp(String.raw`^partner 23456 +${what} +${rows} +(\d+ \w+ to )?\d+ \w+ ago +- +- +- +-$`, 'm')
}

describe('with a running portal', () => {
  it('sync works as one more instance and prints its progress', async () => {
    const env = { ...syncEnv(), DATABASE_URL: await createTestSchema() }
    const main = await startPortal(env)
    api.faults.latencyMs = 1000
    const slow = await runCommand('sync partner 23456', env)
    expect(slow).toMatchObject({ exitCode: 0, output: expect.stringMatching(readEverything) })
    expect(slow.output).toMatch(/^partner 23456 {2}.*sales units \d+ of 40 read/m)
    expect(slow.output).toMatch(/^Sync finished in \d+ s\.$/m)

    const { exitCode, output } = await runCommand('status', env)
    expect(exitCode).toBe(0)
    expect(output).toMatch(statusOf('list of sales units', '40'))
    expect(output).toMatch(statusOf('webhooks of sales units', '40'))
    expect(output).toMatch(/^Organisations: \d+ syncing, \d+ due\.$/m)

    api.faults.down = true
    const down = await runCommand('sync partner 34567', env)
    expect(down).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('partner 34567: list of sales units failed: the API did not answer'),
    })

    expect(await stop(main)).toBe(0)
  }, 180_000)
})

describe('without a running portal', () => {
  let env: Record<string, string>
  beforeAll(async () => {
    env = { ...syncEnv(), DATABASE_URL: await createTestSchema() }
  })

  it('sync reads by itself, can be interrupted, and continues later', async () => {
    expect(await runCommand('status', env)).toMatchObject({ exitCode: 3 })

    api.faults.latencyMs = 1000
    const interrupted = command('sync', env)
    await interrupted.says(/partner 12345 {2}lists/)
    interrupted.child.kill('SIGINT')
    expect(await interrupted.ended).toBe(130)
    expect(interrupted.output()).toContain('interrupted: progress is kept')

    api.faults.latencyMs = 0
    const all = await runCommand('sync', env)
    expect(all).toMatchObject({ exitCode: 0, output: expect.stringMatching(readEverything) })
    expect(all.output).toContain('merchant business:FI:Y-tunnus 9234567-8  read: 2 lists, 2 sales units')
    expect((await runCommand('status', env)).output).toMatch(statusOf('sales units', '40'))
  }, 180_000)

  it('sync says when there are no organisations', async () => {
    const { ORGANISATIONS_FILE: _file, ...without } = env
    expect(await runCommand('sync', without)).toEqual({
      exitCode: 1,
      output: 'there are no organisations in the organisations file (ORGANISATIONS_FILE)\n',
    })
    expect(await runCommand('sync partner 12345', without)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('partner 12345 is unknown: add it to the organisations file'),
    })
  })
})
