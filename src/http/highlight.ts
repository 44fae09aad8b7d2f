/** A piece of a text; `hit` where it is what was looked for. */
export type Part = { readonly text: string; readonly hit: boolean }

/** Takes a text apart around what was looked for. Put together again the parts are the text. */
export type Mark = (text: string) => readonly Part[]

/** Letters as the search compares them: case does not count. */
const fold = (text: string): string => text.toLowerCase()

const partsAround = (text: string, folded: string, wanted: string): Part[] => {
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

/** Shows where `q` is in the texts it was found in: in any case, and digits however they were spaced. */
export const highlighter = (q: string): Mark => {
  const wanted = fold(q)
  const digits = /^\d[\d ]*\d$/.test(wanted) ? wanted.replaceAll(' ', '') : wanted
  return (text) => {
    if (wanted === '') return [{ text, hit: false }]
    const composed = text.normalize('NFC')
    const folded = fold(composed)
    // A letter that folds to two would move all that follows it.
    if (folded.length !== composed.length) return [{ text: composed, hit: false }]
    return partsAround(composed, folded, folded.includes(wanted) ? wanted : digits)
  }
}
