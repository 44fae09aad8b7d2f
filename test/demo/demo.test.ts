import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { demoPeople } from '../../src/demo/people.ts'
import { Browser } from '../support/browser.ts'
import { type Running, start } from '../support/process.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-demo-'))
const running: Running[] = []
const startDemo = (args: string[] = []): Running => {
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
  const first = startDemo()
  const url = await urlOf(first)
  for (const { name } of demoPeople) expect(first.output()).toContain(name)
  const browser = new Browser(url)
  const landing = await browser.signIn('Kari Nordmann')
  expect(landing.words).toContain('Welcome, Kari Nordmann')
  expect(landing.$('header').text()).toContain('This is a demo')

  const second = startDemo()
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
  expect(await stop(first)).toBe(0)

  const third = startDemo()
  expect(await urlOf(third)).toBe(url)
  const still = await browser.open('/select')
  expect(still.url.pathname).toBe('/merchants/business:NO:ORG/311900456')
  expect(await stop(third)).toBe(0)

  // Nobody else on the machine can read what it keeps.
  expect(statSync(join(directory, 'data')).mode & 0o077).toBe(0)
  expect(statSync(join(directory, 'data/demo-organisations.json')).mode & 0o077).toBe(0)
}, 60_000)

it('--reset starts afresh', async () => {
  const demo = startDemo(['--reset'])
  const browser = new Browser(await urlOf(demo))
  const landing = await browser.signIn('Kari Nordmann')
  expect(landing.url.pathname).toBe('/partners/12345')
  expect(await stop(demo)).toBe(0)
}, 30_000)

it('explains itself and refuses options that it does not have', async () => {
  const help = startDemo(['--help'])
  expect(await help.ended).toBe(0)
  expect(help.output()).toContain('--reset')
  const wrong = startDemo(['--rest'])
  expect(await wrong.ended).toBe(1)
  expect(wrong.output()).toContain('--rest')
  expect(wrong.output()).toContain('npm run demo')
})
