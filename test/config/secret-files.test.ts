import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { secretFileProblem } from '../../src/config/secret-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-secrets-'))
afterAll(() => rmSync(directory, { recursive: true }))
const path = join(directory, 'secret')
writeFileSync(path, 'top-secret-value')

// Everything belongs to an ordinary user: only root can give files away, and trusts its own.
if (process.getuid?.() === 0) for (const owned of [directory, path]) chownSync(owned, 4711, 4712)
const { uid, gid } = statSync(path)
const own = { uid, groups: [gid] }
const [stranger, strangersGroup] = [uid + 1, gid + 1]

it.each([0o400, 0o440, 0o600, 0o640])('accepts a file with mode %o', (mode) => {
  chmodSync(path, mode)
  expect(secretFileProblem(path, own)).toBeUndefined()
})

it.each([
  [0o644, 'every user of this machine can read it', 'chmod o-r '],
  [0o602, 'every user of this machine can write it', 'chmod o-w '],
  [0o660, 'its group can write it', 'chmod g-w '],
  [0o666, 'read it, every user of this machine can write it, its group can write it', 'chmod o-r,o-w,g-w '],
])('refuses mode %o and says how to fix it', (mode, why, how) => {
  chmodSync(path, mode)
  const problem = secretFileProblem(path, own)
  expect(problem).toContain(why)
  expect(problem).toContain(how + path)
  expect(problem).not.toContain('top-secret-value')
})

it('checks the target of a symbolic link', () => {
  chmodSync(path, 0o644)
  const link = join(directory, 'link')
  symlinkSync(path, link)
  expect(secretFileProblem(link, own)).toContain(`chmod o-r ${link}`)
})

it('ignores a missing file', () => {
  expect(secretFileProblem(join(directory, 'none'), own)).toBeUndefined()
})

describe('the owner', () => {
  it('may be the user of the process, and no other user', () => {
    chmodSync(path, 0o600)
    expect(secretFileProblem(path, own)).toBeUndefined()
    expect(secretFileProblem(path, { uid: stranger, groups: [gid] })).toContain(
      `it belongs to user ${uid}. Run: chown ${stranger} ${path}`,
    )
  })

  it('may let a group read the file that the process belongs to, and no other group', () => {
    chmodSync(path, 0o440)
    expect(secretFileProblem(path, { uid, groups: [strangersGroup, gid] })).toBeUndefined()
    expect(secretFileProblem(path, { uid, groups: [strangersGroup] })).toContain(
      `group ${gid}, which is not the portal's, can read it. Run: chmod g-r ${path}`,
    )
  })
})

describe('the directories above', () => {
  const open = join(directory, 'open')
  const inOpen = join(open, 'below', 'secret')
  mkdirSync(join(open, 'below'), { recursive: true })
  writeFileSync(inOpen, 'top-secret-value', { mode: 0o600 })
  if (process.getuid?.() === 0) chownSync(open, uid, gid)

  it.each([0o777, 0o757, 0o707])('must not be writable by every user (%o)', (mode) => {
    chmodSync(open, mode)
    expect(secretFileProblem(inOpen, own)).toBe(
      `(${inOpen}) holds secrets and can be replaced: every user of this machine can write ${open}. Run: chmod o-w ${open}`,
    )
  })

  it('must not be writable by a foreign group', () => {
    chmodSync(open, 0o770)
    expect(secretFileProblem(inOpen, own)).toBeUndefined()
    expect(secretFileProblem(inOpen, { uid, groups: [strangersGroup] })).toContain(
      `group ${gid}, which is not the portal's, can write ${open}. Run: chmod g-w ${open}`,
    )
  })

  it('must not belong to another user', () => {
    chmodSync(open, 0o700)
    const other = secretFileProblem(inOpen, { uid: stranger, groups: [gid] })
    expect(other).toContain(`user ${uid} owns ${open}. Run: chown ${stranger} ${open}`)
  })

  it.each([0o1777, 0o3777, 0o755, 0o700])('may have mode %o', (mode) => {
    chmodSync(open, mode)
    expect(secretFileProblem(inOpen, own)).toBeUndefined()
  })

  it('are checked above a link and above its target', () => {
    chmodSync(open, 0o777)
    const toOpen = join(directory, 'to-open')
    symlinkSync(inOpen, toOpen)
    expect(secretFileProblem(toOpen, own)).toContain(`every user of this machine can write ${open}`)
    chmodSync(path, 0o600)
    const fromOpen = join(open, 'from-open')
    symlinkSync(path, fromOpen)
    expect(secretFileProblem(fromOpen, own)).toContain(`every user of this machine can write ${open}`)
  })
})

describe('a secret of Kubernetes', () => {
  const volume = join(directory, 'volume')
  const version = join(volume, '..2026_11_29_05_00_00.123456')
  const mounted = join(volume, 'client-secret')
  mkdirSync(version, { recursive: true })
  chmodSync(volume, 0o1777)
  writeFileSync(join(version, 'client-secret'), 'top-secret-value')
  if (process.getuid?.() === 0) chownSync(join(version, 'client-secret'), 0, gid)
  symlinkSync('..2026_11_29_05_00_00.123456', join(volume, '..data'))
  symlinkSync('..data/client-secret', mounted)

  it('is accepted with fsGroup and defaultMode 0440', () => {
    chmodSync(join(version, 'client-secret'), 0o440)
    expect(secretFileProblem(mounted, own)).toBeUndefined()
  })

  it.each([0o644, 0o444])('with mode %o gets a remedy that fits a volume', (mode) => {
    chmodSync(join(version, 'client-secret'), mode)
    const problem = secretFileProblem(mounted, own)
    expect(problem).toContain(`(${mounted}) holds secrets and is not private: every user of this machine can read it. `)
    expect(problem).toContain('set defaultMode: 0440 for the volume, and fsGroup')
    expect(problem).not.toContain('chmod')
  })
})
