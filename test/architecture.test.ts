import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const source = resolve(import.meta.dirname, '../src')

/**
 * What each room may import from beside itself and libraries. A request walks down, data walks up, and nothing
 * jumps a floor; docs/architecture.md draws it.
 */
const ground = [
  'business-identifier.ts',
  'email-address.ts',
  'errors.ts',
  'logger.ts',
  'organisation.ts',
  'organisations.ts',
  'paging.ts',
  'role.ts',
]
const allowed: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['config.ts', 'errors.ts', 'portal.ts', 'signals.ts'],
  'portal.ts': [
    'app.ts',
    'auth',
    'brand',
    'cli',
    'config.ts',
    'credentials-reload.ts',
    'http',
    'credentials-reload.ts',
    'store',
    'sync',
    ...ground,
  ],
  'credentials-reload.ts': ['config.ts', 'store', 'sync', ...ground],
  'app.ts': ['auth', 'brand', 'config.ts', 'http', 'pages', 'sessions', ...ground],
  'config.ts': ['config-values.ts', 'eid-settings.ts', 'organisations-file.ts', 'secret-files.ts'],
  'config-values.ts': ['brand', 'email-address.ts'],
  'eid-settings.ts': ['config-values.ts', 'eid-keys.ts'],
  'eid-keys.ts': [],
  'organisations-file.ts': ['management-api', ...ground],
  'secret-files.ts': [],
  pages: ['auth', 'sessions', 'http', 'sync', 'management-api', 'store', 'config.ts', ...ground],
  auth: ['sessions', 'http', 'mail', 'store', 'eid-keys.ts', ...ground],
  sessions: ['http', 'store', ...ground],
  http: ['brand', 'store', ...ground],
  brand: [],
  sync: ['store', 'management-api', ...ground],
  mail: ground,
  store: ground,
  'management-api': ground,
  cli: ['config.ts', 'store', 'sync', ...ground],
  demo: [
    'auth',
    'config.ts',
    'http',
    'management-api',
    'portal.ts',
    'signals.ts',
    'store',
    'sync',
    ...ground,
  ],
  'signals.ts': [],
  'business-identifier.ts': [],
  'email-address.ts': [],
  'errors.ts': [],
  'logger.ts': [],
  'organisation.ts': [],
  'organisations.ts': ['organisation.ts'],
  'paging.ts': [],
  'role.ts': [],
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /(?<!\.d)\.ts$/.test(file),
)
const textOf = (file: string): string => readFileSync(join(source, file), 'utf8')
const roomOf = (file: string): string => file.split('/')[0] ?? file
const importsOf = (file: string): string[] =>
  [...textOf(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => String(specifier))
const own = (file: string): string[] =>
  importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(source, resolve(source, dirname(file), specifier)))

describe('the arrows', () => {
  it('has a rule for every room', () => {
    expect([...new Set(files.map(roomOf))].toSorted()).toEqual(Object.keys(allowed).toSorted())
  })

  it.each(files)('%s imports only what its room may', (file) => {
    const room = roomOf(file)
    const strangers = own(file).filter(
      (target) => roomOf(target) !== room && !allowed[room]?.includes(roomOf(target)),
    )
    expect(strangers).toEqual([])
  })

  it.each(files.filter((file) => /^(store|management-api|sync|cli|mail|brand)\//.test(file)))(
    '%s knows no Express',
    (file) => {
      expect(
        importsOf(file).filter((specifier) => /^(express|passport|helmet|pino-http)/.test(specifier)),
      ).toEqual([])
    },
  )

  it('reads the environment in config.ts only', () => {
    expect(files.filter((file) => /process\.env/.test(textOf(file)))).toEqual(['config.ts'])
  })

  it('loads the demo from nowhere but the demo', () => {
    expect(
      files.filter(
        (file) => roomOf(file) !== 'demo' && own(file).some((target) => roomOf(target) === 'demo'),
      ),
    ).toEqual([])
  })
})

describe('the habits', () => {
  const views = resolve(source, '../views')
  const templates = readdirSync(views, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ejs'),
  )

  it.each(templates)('views/%s writes raw HTML through include only', (file) => {
    const raw = readFileSync(join(views, file), 'utf8').match(/<%-(?!\s*include\()/g)
    expect(raw).toBeNull()
  })

  it.each(templates)('views/%s has no inline script, style or handler', (file) => {
    expect(readFileSync(join(views, file), 'utf8')).not.toMatch(
      /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/i,
    )
  })

  it('keeps app.ts on one screen', () => {
    expect(textOf('app.ts').split('export const createApp')[1]?.split('\n').length).toBeLessThan(60)
  })

  it('names files in kebab-case and has no utils, helpers or services', () => {
    const odd = files.filter(
      (file) => !/^[a-z\d/-]+\.ts$/.test(file) || /(^|\/)(utils?|helpers?|services?|index)\b/.test(file),
    )
    expect(odd).toEqual([])
  })
})
