import { customOf } from '../domain/business-identifier.ts'
import { foldedSigns, folding, type Sign, signsWithout } from '../domain/folding.ts'
import { searchTerms } from '../domain/search-terms.ts'

/** A part of a text; `hit` when it matches the search. */
export type Part = { readonly text: string; readonly hit: boolean }

/** Splits a text into matching and other parts, which add up to the text. */
export type Mark = (text: string) => readonly Part[]

/** The parts of an identifier with `between` before each character at `gaps`; hits continue across it. */
function withGaps(parts: readonly Part[], { gaps, between }: ReturnType<typeof customOf>): Part[] {
  let from = 0
  return parts.map(({ text, hit }) => {
    const start = from
    from += text.length
    const spaced = text
      .split('')
      .map((sign, at) => (gaps.includes(start + at) ? between + sign : sign))
      .join('')
    return { text: spaced, hit }
  })
}

/** Marks what a search for `q` finds in a text, as the search folds letters, and numbers in any spacing. */
export function highlighter(q: string): Mark {
  const terms = searchTerms(q)
  return (text) => {
    if (terms.length === 0 || text === '') return [{ text, hit: false }]
    const forms = formsOf(text)
    const spans = terms.flatMap((term) => {
      const found = term.map((all) => all.flatMap((one) => spansOf(one, forms)))
      return found.find(({ length }) => length > 0) ?? []
    })
    return partsOf(text, spans)
  }
}

/** A text as it is searched: as it is, with short pairs, and with numbers without spaces. */
function formsOf(text: string): Form[] {
  // A search for the beginning of a word begins with a space.
  const signs = [{ sign: ' ', from: 0, to: 0 }, ...foldedSigns(text)]
  return [signs, ...[folding.pairs, spacesInNumbers].map((pattern) => signsWithout(signs, pattern))]
    .filter((form, at) => at === 0 || form.length < signs.length)
    .map((form) => ({ signs: form, text: form.map(({ sign }) => sign).join('') }))
}

type Form = { readonly signs: readonly Sign[]; readonly text: string }
type Span = { readonly from: number; readonly to: number }

const spacesInNumbers = String.raw`(?<=\d)[\s-]+(?=\d)`

function spansOf(searched: string, forms: readonly Form[]): Span[] {
  return forms.flatMap(({ signs, text }) => {
    const spans: Span[] = []
    for (let at = text.indexOf(searched); at !== -1; at = text.indexOf(searched, at + searched.length)) {
      const first = signs[searched.startsWith(' ') ? at + 1 : at]
      const last = signs[at + searched.length - 1]
      if (first && last) spans.push({ from: first.from, to: last.to })
    }
    return spans
  })
}

function partsOf(text: string, spans: readonly Span[]): Part[] {
  const parts: Part[] = []
  let done = 0
  for (const { from, to } of joined(spans)) {
    parts.push({ text: text.slice(done, from), hit: false }, { text: text.slice(from, to), hit: true })
    done = to
  }
  return [...parts, { text: text.slice(done), hit: false }].filter((part) => part.text !== '')
}

/** The spans in order, those that overlap or touch as one. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && span.from <= last.to) all[all.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    else all.push(span)
  }
  return all
}

/** A business identifier for views: the country, and the id in parts, written as in its country. */
export function identifierOf(
  identifier: { readonly scheme: string; readonly id: string },
  mark: Mark = (text) => [{ text, hit: false }],
): { readonly country: string; readonly parts: readonly Part[] } {
  const custom = customOf(identifier)
  return { country: custom.country, parts: withGaps(mark(identifier.id), custom) }
}
