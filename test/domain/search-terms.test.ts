import { expect, it } from 'vitest'
import { hasTerms, searchTerms } from '../../src/domain/search-terms.ts'
import { highlighter } from '../../src/presentation/highlight.ts'

const names = `Videoeksperten, Michael Noel, Haaen Ålesund, Straße & Søn, Cafe\u{301}en, Kiosk 7-11, İstanbul ﬁn,
Radioelektro aaeoee, Videoelaerke, Aabenraa Æbleskiver, “Ørsta” – Bjørk’s, Þórr Œuvre, 100 % Ølbar (Å)`.split(/,\s/)

it.each(names)('every part of a name finds it, and is marked: %s', (name) => {
  for (let from = 0; from < name.length; from += 1)
    for (let to = from + 1; to <= name.length; to += 1) {
      const part = name.slice(from, to)
      // A mark without its letter is no text, and a word of one digit may begin a number.
      if (/^[\u{301}\s]|[\d]/u.test(part)) continue
      expect([part, hasTerms(searchTerms(part), [name])]).toEqual([part, true])
      const parts = highlighter(part)(name)
      expect([part, parts.some(({ hit }) => hit)]).toEqual([part, true])
      expect(parts.map(({ text }) => text).join('')).toBe(name)
    }
})

it.each([
  ['cafe', 'Cafe\u{301}en', 'Cafe\u{301}'],
  ['bla', 'Blaaskjell', 'Blaa'],
  ['311 900', '311900456', '311900'],
  ['7 11', '217 Kiosk 7 AS', '7'],
])('marks whole letters: %s in %s', (q, name, hit) => {
  expect(highlighter(q)(name).filter((part) => part.hit)).toEqual([{ text: hit, hit: true }])
})

it('equal spellings find each other', () => {
  for (const spellings of [
    ['Håen', 'Haaen', 'Haen', 'HÄEN'],
    ['Bjørn', 'Björn', 'Bjoern', 'Bjorn', 'BJO\u{308}RN'],
    ['Ærø', 'Aerö', 'ÄROE', 'aro'],
  ])
    for (const q of spellings)
      for (const name of spellings) expect([q, name, hasTerms(searchTerms(q), [name])]).toEqual([q, name, true])
})

it('has at most eight terms, and the last has the rest', () => {
  const many = 'a b c d e f g h i j k'
  expect(searchTerms(many)).toHaveLength(8)
  expect(hasTerms(searchTerms(many), ['g f e d c b a h i j k'])).toBe(true)
  expect(hasTerms(searchTerms(many), ['a b c d e f g h i j'])).toBe(false)
})

it.each(['No 7', 'Se 12', 'nordic 123', 'Casino 1234'])('keeps the words of a name: %s', (name) => {
  expect(hasTerms(searchTerms(name), [name.replace(/^\w+/, 'other')])).toBe(false)
})
