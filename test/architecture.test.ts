import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const source = resolve(import.meta.dirname, '../src')

/** Modules that every file may import. */
const sharedModules = ['domain', 'errors.ts', 'logger.ts']
/** The modules each module may import besides itself and `sharedModules`; docs/architecture.md has the same table. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['config', 'portal.ts', 'signals.ts'],
  'portal.ts': ['app.ts', 'auth', 'brand', 'config', 'http', 'notices', 'presentation', 'store', 'sync'],
  'app.ts': ['auth', 'brand', 'config', 'http', 'pages', 'presentation', 'rate-limits', 'sessions'],
  pages: ['auth', 'config', 'http', 'management-api', 'notices', 'presentation', 'sessions', 'store', 'sync'],
  auth: ['config', 'http', 'mail', 'presentation', 'sessions', 'store'],
  notices: ['http', 'mail', 'presentation', 'store'],
  sessions: ['http', 'store'],
  'rate-limits': ['http', 'store'],
  http: ['brand', 'presentation'],
  presentation: [],
  cli: ['config', 'store', 'sync'],
  config: ['brand', 'management-api', 'store', 'sync'],
  sync: ['management-api', 'store'],
  'management-api': [],
  store: [],
  mail: [],
  brand: [],
  domain: [],
  'errors.ts': [],
  'logger.ts': [],
  'signals.ts': [],
}

/** The modules without an HTTP framework. */
const belowExpress = /^(brand|cli|config|domain|mail|management-api|store|sync)\//

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.d)\.ts$/.test(file))
function textOf(file: string): string {
  return readFileSync(join(source, file), 'utf8')
}

function moduleOf(file: string): string {
  return file.split('/')[0] ?? file
}

function importsOf(file: string): string[] {
  return [...textOf(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => String(specifier))
}

function ownImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(source, resolve(source, dirname(file), specifier)))
}

describe('the imports', () => {
  it('have a rule for every module', () => {
    expect([...new Set(files.map(moduleOf))].toSorted()).toEqual(Object.keys(allowedImports).toSorted())
  })

  it.each(files)('of %s are allowed for its module', (file) => {
    const module = moduleOf(file)
    const mayImport = new Set([module, ...sharedModules, ...(allowedImports[module] ?? [])])
    expect(ownImportsOf(file).filter((target) => !mayImport.has(moduleOf(target)))).toEqual([])
  })

  it.each(files.filter((file) => belowExpress.test(file)))('of %s do not include Express', (file) => {
    expect(importsOf(file).filter((name) => /^(express|helmet|pino-http)/.test(name))).toEqual([])
  })

  it('read the environment only in config/config.ts', () => {
    expect(files.filter((file) => /process\.env/.test(textOf(file)))).toEqual(['config/config.ts'])
  })
})

describe('the conventions', () => {
  const views = resolve(source, '../views')
  const templates = readdirSync(views, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ejs'))

  it.each(templates)('let views/%s write raw HTML through include only', (file) => {
    const raw = [...readFileSync(join(views, file), 'utf8').matchAll(/<%-(.*?)-?%>/gs)].map(([, code]) => String(code))
    // One call and nothing after it: parentheses nest at most three deep in its arguments.
    const args = String.raw`(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*`
    const isInclude = new RegExp(String.raw`^\s*include\(${args}\)\s*$`)
    expect(raw.filter((code) => !isInclude.test(code))).toEqual([])
  })

  // Mails have no style sheet, and no page's Content-Security-Policy.
  it.each(templates.filter((file) => !file.startsWith('mail/')))(
    'allow no inline script, style or handler in views/%s',
    (file) => {
      expect(readFileSync(join(views, file), 'utf8')).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/i)
    },
  )

  it('keep app.ts on one screen', () => {
    expect(textOf('app.ts').split('export function createApp')[1]?.split('\n').length).toBeLessThan(60)
  })

  it('keep the root of src/ at seven files', () => {
    expect(files.filter((file) => !file.includes('/')).length).toBeLessThanOrEqual(7)
  })

  it('require kebab-case file names and forbid utils, helpers and services', () => {
    const odd = files.filter(
      (file) => !/^[a-z\d/-]+\.ts$/.test(file) || /(^|\/)(utils?|helpers?|services?|index)\b/.test(file),
    )
    expect(odd).toEqual([])
  })
})
