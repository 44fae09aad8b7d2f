import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { secretFileProblem } from '../../src/config/secret-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-secrets-'))
afterAll(() => rmSync(directory, { recursive: true }))
const path = join(directory, 'secret')
writeFileSync(path, 'top-secret-value')

it.each([0o400, 0o440, 0o600, 0o640])('accepts a file with mode %o', (mode) => {
  chmodSync(path, mode)
  expect(secretFileProblem(path)).toBeUndefined()
})

it.each([
  [0o644, 'every user of this machine can read it', 'chmod o-r '],
  [0o602, 'every user of this machine can write it', 'chmod o-w '],
  [0o660, 'its group can write it', 'chmod g-w '],
  [0o666, 'read it, every user of this machine can write it, its group can write it', 'chmod o-r,o-w,g-w '],
])('refuses mode %o and says how to fix it', (mode, why, how) => {
  chmodSync(path, mode)
  const problem = secretFileProblem(path)
  expect(problem).toContain(why)
  expect(problem).toContain(how + path)
  expect(problem).not.toContain('top-secret-value')
})

it('checks the target of a symbolic link', () => {
  chmodSync(path, 0o644)
  const link = join(directory, 'link')
  symlinkSync(path, link)
  expect(secretFileProblem(link)).toContain(`chmod o-r ${link}`)
})

it('ignores a missing file', () => {
  expect(secretFileProblem(join(directory, 'none'))).toBeUndefined()
})
