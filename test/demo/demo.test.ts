import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { startDemo } from '../../src/demo/demo.ts'
import { demoPeople } from '../../src/demo/people.ts'
import { parseDemoSwitches } from '../../src/demo/switches.ts'
import { Browser } from '../support/browser.ts'
import { type Running, start } from '../support/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-demo-'))
const running: Running[] = []
const runDemo = (args: string[] = []): Running => {
  const demo = start('demo/main.ts', { cwd: directory, args })
  running.push(demo)
  return demo
}
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

const urlOf = async (demo: Running): Promise<string> => (await demo.says(/is at {2}(http:\S+)/))[1] ?? ''
const stop = async (demo: Running): Promise<number | null> => {
  demo.child.kill('SIGINT')
  return demo.ended
}

it('starts without any environment, stops with Ctrl-C, and goes on where it was', async () => {
  const first = runDemo()
  const url = await urlOf(first)
  for (const { name } of demoPeople) expect(first.output()).toContain(name)
  const browser = new Browser(url)
  const landing = await browser.signIn('Kari Nordmann')
  expect(landing.words).toContain('Welcome, Kari Nordmann')
  expect(landing.$('header').text()).toContain('This is a demo')

  const second = runDemo()
  expect(await second.ended).toBe(1)
  expect(second.output()).toMatch(/in use|uses it|another/i)
  expect(second.output()).not.toMatch(/\bat .*\.ts:\d+/)

  // The operator's commands reach the running process.
  const userId = (await browser.open('/profile')).$('#user-id').text()
  const revoke = start('cli/main.ts', { cwd: directory, args: ['revoke', userId, 'partner', '12345'] })
  expect(await revoke.ended).toBe(0)
  expect((await browser.open('/partners/12345')).status).toBe(404)
  const grant = start('cli/main.ts', {
    cwd: directory,
    args: ['grant', userId, 'merchant', 'business:NO:ORG', '311900456'],
  })
  expect(await grant.ended).toBe(0)
  // A file is read where the command is typed, and reaches the running process, too.
  const many = Array.from({ length: 2000 }, (_, index) => `0000${index + 1000}-0000-5000-8000-000000000000`)
  const lines = many.map((id) => `${id},partner 12345,,2999-12-31,${'many of them '.repeat(3)}`)
  writeFileSync(
    join(directory, 'grants.csv'),
    ['user_id,organisation,role,until,reason', ...lines].join('\n'),
  )
  const imported = start('cli/main.ts', { cwd: directory, args: ['import', 'grants.csv', '--apply'] })
  expect(await imported.ended).toBe(0)
  expect(imported.output()).toContain('2 000 added, 0 changed, 0 left as they are.')
  const audit = start('cli/main.ts', {
    cwd: directory,
    args: ['audit', '--event', 'grant', '--limit', '1', '--json'],
  })
  expect(await audit.ended).toBe(0)
  const { username } = userInfo()
  expect(JSON.parse(audit.output())).toMatchObject({
    event: 'grant',
    details: { by: username, via: 'import' },
  })
  expect(await stop(first)).toBe(0)

  const third = runDemo()
  expect(await urlOf(third)).toBe(url)
  const still = await browser.open('/select')
  expect(still.url.pathname).toBe('/merchants/business:NO:ORG/311900456')
  expect(await stop(third)).toBe(0)

  // Nobody else on the machine can read what it keeps.
  expect(statSync(join(directory, 'data')).mode & 0o077).toBe(0)
  expect(statSync(join(directory, 'data/demo-organisations.json')).mode & 0o077).toBe(0)
}, 180_000)

it('--reset starts afresh', async () => {
  const demo = runDemo(['--reset'])
  const browser = new Browser(await urlOf(demo))
  const landing = await browser.signIn('Kari Nordmann')
  expect(landing.url.pathname).toBe('/partners/12345')
  expect(await stop(demo)).toBe(0)
}, 180_000)

it('has the world, the weather and the pace that its switches say', async () => {
  const switches = parseDemoSwitches(['--sales-units', '30', '--latency', '5', '--rate-limit', '15'])
  const demo = await startDemo({ ...switches, dataDir: join(directory, 'limited'), log: 'silent' })
  const { requests, weather } = demo.managementApi
  expect(weather).toMatchObject(switches.weather)
  const ofPartner = () => requests.filter(({ organisation }) => organisation === 'partner/23456')
  await vi.waitFor(() => expect(ofPartner().length).toBeGreaterThan(40), { timeout: 90_000 })
  // A portal that knew no better would have been told off: it makes a hundred calls a second.
  expect(requests.filter(({ status }) => status === 429)).toEqual([])
  await demo.stop()
}, 120_000)

it('tells what its switches have made of it, and refuses those that make no sense', async () => {
  const demo = runDemo(['--reset', '--sales-units', '50', '--down'])
  await demo.says(/The demo Management API is down; partner 23456 has 50 sales units\./)
  expect(await stop(demo)).toBe(0)
  const wrong = runDemo(['--rate-limit', 'fast', '--latency', '70000'])
  expect(await wrong.ended).toBe(1)
  expect(wrong.output()).toContain('--latency must be a whole number from 0 to 60000\n--rate-limit must be')
  expect(wrong.output()).toContain('npm run demo -- [switches]')
  expect(wrong.output()).not.toMatch(/\bat .*\.ts:\d+/)
}, 180_000)

it('explains itself and refuses options that it does not have', async () => {
  const help = runDemo(['--help'])
  expect(await help.ended).toBe(0)
  expect(help.output()).toContain('--reset')
  const wrong = runDemo(['--rest'])
  expect(await wrong.ended).toBe(1)
  expect(wrong.output()).toContain('--rest')
  expect(wrong.output()).toContain('npm run demo')
})
