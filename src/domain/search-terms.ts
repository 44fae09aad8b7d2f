import { withoutRegister } from './business-identifier.ts'
import { fold, withoutPairs } from './folding.ts'

/**
 * A part of a search, which must be found: all texts of one of its alternatives. A text that begins with a space is
 * found at the beginning of a word only.
 */
export type Term = readonly (readonly string[])[]

/** The most terms; what follows belongs to the last one, so that the search stays small. */
const mostTerms = 8

/**
 * The terms of a search text, in any order: its words, and numbers with the spaces and hyphens that people write in
 * them. A country or register in front of a number is left out.
 */
export function searchTerms(q: string): Term[] {
  const written = fold(q)
  const bare = withoutRegister(written)
  const words = bare
    .split(/\s+/)
    .map((word) => word.replace(/(?<=.)[.;:]+$/, ''))
    .filter((word) => word !== '')
  const bounded = [...words.slice(0, mostTerms - 1), words.slice(mostTerms - 1).join(' ')].filter((word) => word !== '')
  const terms: Term[] = []
  for (let at = 0; at < bounded.length;) {
    const end = bounded.findIndex((word, index) => index >= at && !number.test(word))
    const numbers = bounded.slice(at, end === -1 ? undefined : end)
    terms.push(numbers.length === 0 ? wordTerm(bounded[at] ?? '') : numberTerm(numbers, bare !== written))
    at += Math.max(1, numbers.length)
  }
  return terms
}

const number = /^\d[\d-]*$/

/** "987 654 321" is one number, or three in any order. */
function numberTerm(numbers: readonly string[], hasRegister: boolean): Term {
  const joined = numbers.join('').replaceAll('-', '')
  if (numbers.length > 1) return [[joined], numbers.map((one) => ` ${one}`)]
  const [one = ''] = numbers
  if (one !== joined) return swedishId.test(one) ? [[joined], [one]] : [[one]]
  // Without a register, eight digits may be Danish or Finnish.
  const isEither = !hasRegister && joined.length === 8
  return isEither ? [[joined], [`${joined.slice(0, 7)}-${joined.slice(7)}`]] : [[joined]]
}

/** Swedish identifiers are stored without the hyphen that people write. */
const swedishId = /^\d{6}-\d+$/

function wordTerm(word: string): Term {
  const short = withoutPairs(word)
  // The e of "Videoeksperten" may begin a search, and is left out of its shorter form.
  return short !== word && word.startsWith('e') ? [[short], [word]] : [[short]]
}

/**
 * The folded text that a search for any of these looks in. It is in two forms if it has pairs such as aa: a search for
 * "aalesund" has its short form, and one for "expert" also finds "Videoexpert".
 */
export function searchText(texts: readonly (string | undefined)[]): string {
  const folded = fold(texts.map((text) => ` ${text ?? ''}`).join('\n'))
  const short = withoutPairs(folded)
  return short === folded ? folded : `${folded}\n${short}`
}

/** Whether any of a row's texts has each term. */
export function hasTerms(terms: readonly Term[], texts: readonly (string | undefined)[]): boolean {
  const text = searchText(texts)
  return terms.every((term) => term.some((all) => all.every((one) => text.includes(one))))
}
