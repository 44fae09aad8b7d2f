import { asStoredIdentifier } from '../domain/business-identifier.ts'

/** A piece of a text; `hit` where it is what was looked for. */
export type Part = { readonly text: string; readonly hit: boolean }

/** Takes a text apart around what was looked for. Put together again the parts are the text. */
export type Mark = (text: string) => readonly Part[]

/** The parts of an identifier with a space before each of the signs at `gaps`; what is marked stays marked across them. */
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

/** Shows where `q` is in the texts it was found in: in any case, and identifiers however they were typed. */
export function highlighter(q: string): Mark {
  const wanted = fold(q)
  const digits = asStoredIdentifier(wanted)
  return (text) => {
    if (wanted === '') return [{ text, hit: false }]
    const composed = text.normalize('NFC')
    const folded = fold(composed)
    // A letter that folds to two would move all that follows it.
    if (folded.length !== composed.length) return [{ text: composed, hit: false }]
    return partsAround(composed, folded, folded.includes(wanted) ? wanted : digits)
  }
}

/** Letters as the search compares them: case does not count. */
function fold(text: string): string {
  return text.toLowerCase()
}

function partsAround(text: string, folded: string, wanted: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (;;) {
    const at = folded.indexOf(wanted, from)
    if (at > from || at === -1) parts.push({ text: text.slice(from, at === -1 ? undefined : at), hit: false })
    if (at === -1) return parts.filter((part) => part.text !== '')
    from = at + wanted.length
    parts.push({ text: text.slice(at, from), hit: true })
  }
}
