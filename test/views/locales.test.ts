import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const views = fileURLToPath(new URL('../../views/', import.meta.url))

type Words = { readonly [key: string]: string | Words }

function flatten(words: Words, prefix = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value]] : flatten(value, `${prefix}${key}.`),
  )
}

const files = readdirSync(`${views}locales`)

function read(file: string): Map<string, string> {
  return new Map(flatten(JSON.parse(readFileSync(`${views}locales/${file}`, 'utf8')) as Words))
}

const english = read('en.json')

const plural = /_(zero|one|two|few|many|other)$/

function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/{{(.*?)}}/g)].map(([, name]) => name ?? ''))].toSorted()
}

it('the languages are those of the Vipps MobilePay countries, and English', () => {
  expect(files.toSorted()).toEqual(['da.json', 'en.json', 'fi.json', 'nb.json', 'sv.json'])
})

it('each language has its own name in all languages', () => {
  const names = (locale: Map<string, string>) =>
    Object.fromEntries([...locale].filter(([key]) => key.startsWith('portal.languages.')))
  const codes = Object.keys(names(english)).map((key) => `${key.split('.').at(-1)}.json`)
  expect(codes.toSorted()).toEqual(files.toSorted())
  for (const file of files) expect(names(read(file))).toEqual(names(english))
})

describe.each(files)('%s', (file) => {
  const words = read(file)
  const forms = new Intl.PluralRules(file.replace('.json', '')).resolvedOptions().pluralCategories.toSorted()

  it('has exactly the keys of English', () => {
    const keysOf = (locale: Map<string, string>) => [
      ...new Set([...locale.keys()].map((key) => key.replace(plural, '_*'))),
    ]
    expect(keysOf(words).toSorted()).toEqual(keysOf(english).toSorted())
  })

  it('has exactly the plural forms of its language', () => {
    const stems = new Set([...words.keys()].filter((key) => plural.test(key)).map((key) => key.replace(plural, '')))
    expect(stems.size).toBeGreaterThan(5)
    for (const stem of stems) {
      const has = [...words.keys()].filter((key) => key.replace(plural, '') === stem && plural.test(key))
      expect([stem, has.map((key) => String(plural.exec(key)?.[1])).toSorted()]).toEqual([stem, forms])
    }
  })

  it('has the placeholders of English', () => {
    for (const [key, text] of words) {
      const same = english.get(key) ?? english.get(key.replace(plural, '_other')) ?? ''
      // The singular form may omit the number.
      const left = key.endsWith('_one') ? placeholders(same).filter((name) => name !== 'count') : undefined
      expect([key, left ? placeholders(text).filter((name) => name !== 'count') : placeholders(text)]).toEqual([
        key,
        left ?? placeholders(same),
      ])
    }
  })

  it('names the operator of the APIs as {{service}}, uninflected', () => {
    // Vippsnummer and MobilePay-nummer are products of their own.
    const products = /vippsnum\p{L}*|mobilepay-num\p{L}*/giu
    const named = [...words].filter(([, text]) => /vipps|mobilepay/i.test(text.replaceAll(products, '')))
    expect(named).toEqual([])
    // `{{service}}s`, `{{service}}n` and `{{service}}'s` are genitives.
    const inflected = [...words].filter(([, text]) => /\{\{service\}\}['’:-]?\p{L}/u.test(text))
    expect(inflected).toEqual([])
  })

  it('says wherever English does that Vippsnummer and MobilePay-nummer units are never shown', () => {
    const keys = [...english].filter(([, text]) => /vippsnummer/i.test(text)).map(([key]) => key)
    expect(keys.length).toBeGreaterThan(5)
    const without = keys.filter((key) => !/vippsnum.*mobilepay-num/i.test(words.get(key) ?? ''))
    expect(without).toEqual([])
  })

  it('has no empty messages, surrounding space or markup', () => {
    for (const [key, text] of words) expect([key, text]).toEqual([key, text.trim().replace(/[<>]/g, '') || '?'])
  })
})

it('every key used in a view exists', () => {
  const sections = new Set([...english.keys()].map((key) => key.split('.')[0]))
  const named = readdirSync(views, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ejs'))
    .flatMap((file) =>
      [...readFileSync(views + file, 'utf8').matchAll(/'([a-zA-Z]+(?:\.[a-zA-Z]+)+)'/g)].map(([, key]) => ({
        file,
        key: key ?? '',
      })),
    )
    .filter(({ key }) => sections.has(key.split('.')[0]))
  expect(named.length).toBeGreaterThan(100)
  const missing = named.filter(
    ({ key }) =>
      !english.has(key) && !english.has(`${key}_other`) && ![...english.keys()].some((k) => k.startsWith(`${key}.`)),
  )
  expect(missing).toEqual([])
})
