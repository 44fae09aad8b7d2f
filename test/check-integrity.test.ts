import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const directory = mkdtempSync(join(tmpdir(), 'portal-lock-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** The error output of the check for a lock file with these packages. */
function problemsIn(packages: unknown): string {
  const file = join(directory, 'package-lock.json')
  writeFileSync(file, JSON.stringify({ lockfileVersion: 3, packages }))
  return run(file)
}

function run(...args: string[]): string {
  try {
    execFileSync(process.execPath, ['.ci/check-integrity.js', ...args], { cwd: root, stdio: 'pipe', encoding: 'utf8' })
    return ''
  } catch (error) {
    return String((error as { stderr?: string }).stderr)
  }
}

it('every package of the lock file has a hash, and npm run check looks', () => {
  expect(run()).toBe('')
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  expect(scripts['check']).toContain('npm run check:integrity')
})

it('an entry without a strong hash is named, with the way to mend it', () => {
  const problems = problemsIn({
    '': { name: 'portal' },
    'node_modules/good': { version: '1.0.0', integrity: 'sha512-abc' },
    'node_modules/bare': { version: '1.0.0', optional: true },
    'node_modules/weak': { version: '1.0.0', integrity: 'sha1-abc' },
    'node_modules/good/node_modules/bundled': { version: '1.0.0', inBundle: true },
    'node_modules/linked': { resolved: 'packages/linked', link: true },
  })
  expect(problems).toContain('  node_modules/bare\n  node_modules/weak\n')
  expect(problems).not.toMatch(/bundled|linked|\bgood/)
  expect(problems).toContain('npm install --package-lock-only')
})

it('no image is taken by a tag alone: compose.yaml and the Dockerfile demand a digest', () => {
  const text = (file: string) => readFileSync(join(root, file), 'utf8')
  expect(text('Dockerfile')).not.toMatch(/^# syntax=/m)
  const bases = [...text('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
  const images = [...text('compose.yaml').matchAll(/^\s*image: (.+)$/gm)].map(([, image]) => image)
  expect([...bases, ...images]).not.toHaveLength(0)
  for (const base of bases) expect(base).toMatch(/^(\$\{NODE_IMAGE\}|\S+@sha256:[\da-f]{64})$/)
  for (const image of images) expect(image).toMatch(/^(\$\{\w+_IMAGE:\?.+\}|\S+@sha256:[\da-f]{64})$/)
  expect(text('compose.yaml')).toMatch(/NODE_IMAGE: \$\{NODE_IMAGE:\?/)
})
