/**
 * The folding of letters for search, as data. The functions below and those of store/folding.ts read it, and agree. A
 * change needs a migration that creates the SQL functions and the folded columns again.
 */
export const folding = {
  /** Signs, and at the same place what they count as. å, ä, é and such need no entry: they lose their marks. */
  latin: signsOf('æðđəħıĸłŋøœŧǥʒÆÐĐƏĦŁŊØŒŦǤƷ‘’‚ʼ“”„«»‐‒–—−', `addehiklnootgzaddehlnootgz''''"""""-----`),
  /** Greek, Cyrillic and Armenian capitals and the final sigma. */
  others: signsOf(
    'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩςАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐӘҒҚҢӨҮҰҺԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ',
    'αβγδεζηθικλμνξοπρστυφχψωσабвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґәғқңөүұһաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ',
  ),
  /** Letters that count as two. */
  wide: { ß: 'ss', ẞ: 'ss', þ: 'th', Þ: 'th' },
  /** Marks and invisible characters, which are left out: a regular expression of both languages. */
  marks: String.raw`[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]+`,
  /** What is left out so that aa and ae count as a, as å and æ do, and oe as o. */
  pairs: '(?<=a)[ae]+|(?<=o)e+',
} as const

type Signs = { readonly from: string; readonly to: string }

function signsOf(from: string, to: string): Signs {
  if (from.length !== to.length) throw new Error('each sign must have what it counts as')
  return { from, to }
}

const capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const decimalComma = { from: ',', to: '.' }
const replaced = new Map<string, string>([
  ...[folding.latin, folding.others, { from: capitals, to: capitals.toLowerCase() }, decimalComma].flatMap(
    ({ from, to }) => from.split('').map((sign, at): [string, string] => [sign, to[at] ?? '']),
  ),
  ...Object.entries(folding.wide),
])
const marks = new RegExp(folding.marks, 'g')
const pairs = new RegExp(folding.pairs, 'g')

/** The text without case, marks and Unicode variants; ø is o, å and æ are a, and a decimal comma is a point. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(marks, '')
    .replaceAll(/[^a-z\d\s]/g, (sign) => replaced.get(sign) ?? sign)
}

/** A folded text in which aa and ae count as a, and oe as o. */
export function withoutPairs(folded: string): string {
  return folded.replaceAll(pairs, '')
}

/** A UTF-16 unit of a folded text, and its place in the original. */
export type Sign = { readonly sign: string; readonly from: number; readonly to: number }

/** The folded text sign by sign. */
export function foldedSigns(text: string): Sign[] {
  let from = 0
  const signs: Sign[] = []
  for (const letter of text) {
    const to = from + letter.length
    const folded = fold(letter)
    // A mark belongs to the letter before it.
    if (folded === '') extendLast(signs, to)
    signs.push(...folded.split('').map((sign) => ({ sign, from, to })))
    from = to
  }
  return signs
}

/** The signs without what the pattern matches, which then belongs to the sign before it. */
export function signsWithout(signs: readonly Sign[], pattern: string): Sign[] {
  const kept: Sign[] = []
  const text = signs.map(({ sign }) => sign).join('')
  let from = 0
  for (const { index, 0: match } of text.matchAll(new RegExp(pattern, 'g'))) {
    kept.push(...signs.slice(from, index))
    from = index + match.length
    extendLast(kept, signs[from - 1]?.to ?? 0)
  }
  return [...kept, ...signs.slice(from)]
}

function extendLast(signs: Sign[], to: number): void {
  const last = signs.pop()
  if (last) signs.push({ ...last, to })
}
