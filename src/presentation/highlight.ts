import { asStoredIdentifier, customOf } from '../domain/business-identifier.ts'

/** A part of a text; `hit` when it matches the search. */
export type Part = { readonly text: string; readonly hit: boolean }

/** Splits a text into matching and other parts, which add up to the text. */
export type Mark = (text: string) => readonly Part[]

/** The parts of an identifier with a space before each character at `gaps`; hits continue across spaces. */
export function withGaps(parts: readonly Part[], gaps: readonly number[]): Part[] {
  let from = 0
  return parts.map(({ text, hit }) => {
    const start = from
    from += text.length
    const spaced = text
      .split('')
      .map((sign, at) => (gaps.includes(start + at) ? `\u00A0${sign}` : sign))
      .join('')
    return { text: spaced, hit }
  })
}

/** Marks the matches of `q`, ignoring case, and identifiers in any spacing. */
export function highlighter(q: string): Mark {
  const needle = fold(q)
  const digits = asStoredIdentifier(needle)
  return (text) => {
    if (needle === '') return [{ text, hit: false }]
    const composed = text.normalize('NFC')
    const folded = fold(composed)
    // A letter that folds to two would shift the positions after it.
    if (folded.length !== composed.length) return [{ text: composed, hit: false }]
    return partsAround(composed, folded, folded.includes(needle) ? needle : digits)
  }
}

/** Folds case as the search does. */
function fold(text: string): string {
  return text.toLowerCase()
}

function partsAround(text: string, folded: string, needle: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (;;) {
    const at = folded.indexOf(needle, from)
    if (at > from || at === -1) parts.push({ text: text.slice(from, at === -1 ? undefined : at), hit: false })
    if (at === -1) return parts.filter((part) => part.text !== '')
    from = at + needle.length
    parts.push({ text: text.slice(at, from), hit: true })
  }
}

/** A business identifier for views: country, prefix, and the id in parts, spaced as in its country. */
export function identifierOf(
  identifier: { readonly scheme: string; readonly id: string },
  mark: Mark = (text) => [{ text, hit: false }],
): { readonly country: string; readonly prefix: string; readonly parts: readonly Part[] } {
  const { country, prefix, gaps } = customOf(identifier)
  return { country, prefix, parts: withGaps(mark(identifier.id), gaps) }
}
