import { mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { startDemo } from '../../demo/demo.ts'
import { demoPeople } from '../../demo/people.ts'
import { parseDemoSwitches } from '../../demo/switches.ts'
import { Browser } from '../support/browser.ts'
import { type Running, start } from '../support/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-demo-'))
const running: Running[] = []

function runDemo(args: string[] = []): Running {
  const demo = start('demo/main.ts', { cwd: directory, args })
  running.push(demo)
  return demo
}
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

async function urlOf(demo: Running): Promise<string> {
  return (await demo.says(/is at {2}(http:\S+)/))[1] ?? ''
}

/** Runs a command as `npm run demo:portal` does. */
async function command(...args: string[]): Promise<{ exitCode: number | null; output: string }> {
  const execArgv = ['--env-file-if-exists=data/demo.env']
  const { ended, output } = start('src/cli/main.ts', { cwd: directory, args, execArgv })
  return { exitCode: await ended, output: output() }
}

async function stop(demo: Running): Promise<number | null> {
  demo.child.kill('SIGINT')
  return demo.ended
}

it('the demo starts without any environment, stops with Ctrl-C, and keeps its data', async () => {
  const first = runDemo()
  const url = await urlOf(first)
  for (const { name } of demoPeople) expect(first.output()).toContain(name)
  const browser = new Browser(url)
  const landing = await browser.signIn('Kari Nordmann')
  expect(landing.words).toContain('Welcome, Kari Nordmann')
  expect(landing.$('header').text()).toContain('This is a demo')

  const second = runDemo()
  expect(await second.ended).toBe(1)
  expect(second.output()).toBe(`a demo runs in ./data already: it is at ${url}\n`)

  // The operator's commands work with the environment file that the demo has written.
  const userId = (await browser.open('/profile')).$('#user-id').text()
  expect((await command('revoke', userId, 'partner', '12345')).exitCode).toBe(0)
  expect((await browser.open('/partners/12345')).status).toBe(403)
  expect((await command('grant', userId, 'merchant', 'business:NO:ORG', '311900456')).exitCode).toBe(0)
  expect((await command('status')).output).toContain('partner 23456  ')
  const audit = await command('audit', '--event', 'grant', '--limit', '1', '--json')
  expect(JSON.parse(audit.output)).toMatchObject({
    event: 'grant',
    details: { by: userInfo().username },
  })
  expect(await stop(first)).toBe(0)

  const third = runDemo()
  expect(await urlOf(third)).toBe(url)
  const still = await browser.open('/select')
  expect(still.url.pathname).toBe('/merchants/business:NO:ORG/311900456')
  expect(await stop(third)).toBe(0)

  // Only the user who started the demo can read its data.
  expect(statSync(join(directory, 'data')).mode & 0o077).toBe(0)
  expect(statSync(join(directory, 'data/demo-organisations.json')).mode & 0o077).toBe(0)
}, 180_000)

it('the demo leaves no process behind when it is killed, and starts again', async () => {
  const killed = runDemo()
  const url = await urlOf(killed)
  killed.child.kill('SIGKILL')
  // The output is closed when the database, the last process with it, has ended.
  await killed.ended
  const again = runDemo()
  expect(await urlOf(again)).toBe(url)
  expect(await stop(again)).toBe(0)
}, 180_000)

it('the demo does not open the data of another version, and says how to reset it', async () => {
  const data = join(directory, 'data')
  const name = readdirSync(data).find((file) => file.startsWith('database'))
  renameSync(join(data, name ?? ''), join(data, 'database'))
  const refused = runDemo()
  expect(await refused.ended).toBe(1)
  expect(refused.output()).toBe(
    `${realpathSync(data)} was written by another version of the demo: npm run demo -- --reset starts afresh\n`,
  )
}, 180_000)

it('--reset deletes the data', async () => {
  const demo = runDemo(['--reset'])
  const browser = new Browser(await urlOf(demo))
  const landing = await browser.signIn('Kari Nordmann')
  expect(landing.url.pathname).toBe('/partners/12345')
  expect(await stop(demo)).toBe(0)
}, 180_000)

it('the switches set the world, the faults and the rate limit', async () => {
  const switches = parseDemoSwitches(['--sales-units', '30', '--latency', '5', '--rate-limit', '15'])
  const demo = await startDemo({ ...switches, dataDir: join(directory, 'limited'), log: 'silent' })
  const { requests, faults } = demo.managementApi
  expect(faults).toMatchObject(switches.faults)
  const ofPartner = () => requests.filter(({ organisation }) => organisation === 'partner/23456')
  await vi.waitFor(() => expect(ofPartner().length).toBeGreaterThan(40), { timeout: 90_000 })
  // With its default of 100 calls a second the portal would have got 429.
  expect(requests.filter(({ status }) => status === 429)).toEqual([])
  await demo.stop()
}, 120_000)

it('the demo prints the effect of its switches, and refuses invalid ones', async () => {
  const demo = runDemo(['--reset', '--sales-units', '50', '--down'])
  await demo.says(/The demo Management API is down; partner 23456 has 50 sales units\./)
  expect(await stop(demo)).toBe(0)
  const wrong = runDemo(['--rate-limit', 'fast', '--latency', '70000'])
  expect(await wrong.ended).toBe(1)
  expect(wrong.output()).toContain('--latency must be a whole number from 0 to 60000\n--rate-limit must be')
  expect(wrong.output()).toContain('npm run demo -- [switches]')
  expect(wrong.output()).not.toMatch(/\bat .*\.ts:\d+/)
}, 180_000)

it('--help prints the usage, and unknown options are refused', async () => {
  const help = runDemo(['--help'])
  expect(await help.ended).toBe(0)
  expect(help.output()).toContain('--reset')
  const wrong = runDemo(['--rest'])
  expect(await wrong.ended).toBe(1)
  expect(wrong.output()).toContain('--rest')
  expect(wrong.output()).toContain('npm run demo')
})

it('the demo takes the port that it is given, and says when it is in use', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const refused = runDemo(['--port', String(port)])
  expect(await refused.ended).toBe(1)
  expect(refused.output()).toContain(`port ${port} is in use: choose another one with --port`)
  const closed = once(taken, 'close')
  taken.close()
  await closed
  const demo = runDemo(['--port', String(port)])
  expect(await urlOf(demo)).toBe(`http://127.0.0.1:${port}`)
  expect(await stop(demo)).toBe(0)
}, 180_000)

it('the demo whose API sends odd answers starts, and shows what can be read of them', async () => {
  const demo = runDemo(['--oddities', '--reset', '--port', '3400'])
  const browser = new Browser(await urlOf(demo))
  await browser.signIn('Kari Nordmann')
  for (const list of ['sales-units', 'product-orders', 'templates', 'price-packages', 'activity'])
    await vi.waitFor(
      async () => {
        const page = await browser.open(`/partners/12345/${list}`)
        expect([list, page.status, page.$('main tbody tr, .entry').length > 0]).toEqual([list, 200, true])
        expect(page.words).not.toMatch(/\[object|undefined|\bnull\b|\bNaN\b|Invalid Date/)
      },
      { timeout: 60_000, interval: 500 },
    )
  expect(await stop(demo)).toBe(0)
}, 180_000)
