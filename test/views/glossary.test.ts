import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const languages = ['en', 'nb', 'da', 'sv', 'fi'] as const
type Code = (typeof languages)[number]

/** A concept of docs/language.md: the word of each language, and the words that it must not use for it. */
type Term = { readonly concept: string; readonly words: Readonly<Record<Code, { word: string; not: string[] }>> }

const terms = readTerms(readFileSync(`${root}docs/language.md`, 'utf8'))

function readTerms(text: string): Term[] {
  const [, table = ''] = text.split('## Terms')
  const rows = table
    .split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
  return (rows ?? []).slice(2).map(([concept = '', ...cells]) => {
    const entries = languages.map((code, at) => {
      const [word = '', ...not] = (cells[at] ?? '').split(', not ')
      return [code, { word, not }] as const
    })
    return { concept, words: Object.fromEntries(entries) as Term['words'] }
  })
}

type Tree = { readonly [key: string]: string | Tree }

function flatten(tree: Tree, prefix = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value] as [string, string]] : flatten(value, `${prefix}${key}.`),
  )
}

function messagesOf(code: Code): ReadonlyMap<string, string> {
  return new Map(flatten(JSON.parse(readFileSync(`${root}views/locales/${code}.json`, 'utf8')) as Tree))
}

/** The text with a word that begins so, in any case. Endings follow, as in "salgsstedene". */
function has(text: string, word: string): boolean {
  const pattern = word.replaceAll('.', String.raw`\.`)
  return new RegExp(String.raw`(?<!\p{L})${pattern}`, 'iu').test(text)
}

it('the glossary has all its terms, each with a word in every language', () => {
  expect(terms.length).toBeGreaterThan(20)
  for (const { concept, words } of terms)
    for (const code of languages) expect([concept, code, words[code].word]).not.toContain('')
})

describe.each(languages)('%s', (code) => {
  const messages = messagesOf(code)

  it.each(terms.map(({ concept, words }) => [concept, words[code]] as const))(
    'has one word for %s',
    (_concept, { word, not }) => {
      // Finnish changes the end of a word before its endings: "tilauslomakkeella".
      const beginning = code === 'fi' ? word.slice(0, -1) : word
      expect([word, [...messages.values()].some((text) => has(text, beginning))]).toEqual([word, true])
      // A part of a word counts as well: "produktordre" has "ordre".
      const wrong = [...messages].filter(([, text]) =>
        not.some((other) => (other.length > 4 ? text.toLowerCase().includes(other) : has(text, other))),
      )
      expect(wrong).toEqual([])
    },
  )

  it('labels a merchant with the one word', () => {
    const word = terms.find(({ concept }) => concept === 'merchant')?.words[code].word ?? ''
    const label = word.charAt(0).toUpperCase() + word.slice(1)
    const labels = [
      'merchants.name',
      'merchant.lead',
      'salesUnits.merchant',
      'productOrders.merchant',
      'activity.resource.merchant',
    ]
    expect(labels.map((key) => [key, messages.get(key)])).toEqual(labels.map((key) => [key, label]))
    const headings = ['menu.merchants', 'merchants.title', 'select.merchants', 'search.groups.merchants']
    expect(new Set(headings.map((key) => messages.get(key))).size).toBe(1)
  })

  it('has its own quotation marks, and apostrophes that are not straight', () => {
    const foreign = { en: /["'«»„]/, nb: /["'“”„]/, da: /["'“«»„]/, sv: /["'“«»„]/, fi: /["'“«»„]/ }[code]
    expect([...messages].filter(([, text]) => foreign.test(text))).toEqual([])
  })
})
