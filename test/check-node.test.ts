import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

/** Loads the check before a program, as `npm start` does, in a Node.js that says it is this version. */
function runAs(version: string) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  const check = resolve(import.meta.dirname, '../src/check-node.js')
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, '--import', check]
  return spawnSync(process.execPath, [...args, '--eval', 'console.log("started")'], { encoding: 'utf8' })
}

it.each(['18.20.0', '20.19.0', '23.9.0'])('Node.js %s is refused in words, before it reads the portal', (version) => {
  const { status, stdout, stderr } = runAs(version)
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^The portal needs Node\.js 24 or newer, and .* is v.*\nInstall Node\.js 24, or run npm ci/)
})

it.each(['24.0.0', '26.1.0'])('Node.js %s starts the portal', (version) => {
  expect(runAs(version)).toMatchObject({ status: 0, stdout: 'started\n' })
})
