import { digitProblem, type DigitProblem, digitCount, type IdentifierCountry } from '../../domain/check-digits.ts'
import { markets } from '../../domain/business-identifier.ts'
import { isMerchantIdentifier, msnPattern } from '../../domain/organisation.ts'

/** What a user may have meant with what they typed. */
export type Meaning =
  | { readonly kind: 'salesUnit'; readonly msn: string }
  | { readonly kind: 'merchant'; readonly scheme: string; readonly id: string }
  /** The digits of a country's identifier, with what is unusual about them. */
  | {
      readonly kind: 'digits'
      readonly country: IdentifierCountry
      readonly digits: string
      readonly isUnusual: boolean
    }
  /** A number that cannot be what it should be; `isNamed` when the user typed what it should be. */
  | {
      readonly kind: 'malformed'
      readonly country: IdentifierCountry | 'MSN' | undefined
      readonly digits: string
      readonly problem: Exclude<DigitProblem, 'unusual'>
      readonly isNamed: boolean
    }
  /** The ID of an order, a template, a price package or a webhook, or the link of an order. */
  | { readonly kind: 'id'; readonly id: string; readonly url?: string }
  | { readonly kind: 'malformedId'; readonly id: string }
  | { readonly kind: 'text'; readonly text: string }

/** The longest text that is searched; a link may be longer. */
const longestText = 100

const uuid = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/i
const wholeUuid = new RegExp(`^${uuid.source}$`, 'i')
const almostUuid = /^(?=.*[a-f])(?=.*\d)[\da-f]{4,14}(-[\da-f]{2,6}){2,4}(-[\da-f]{4,18})?$/i

/** What the text may mean, the most likely first. */
export function meaningsOf(typed: string): readonly Meaning[] {
  const link = /^(https?:\/\/\S+|\/(partners|merchants)\/\S+)$/i.exec(typed)
  if (link) return meaningsOfLink(typed)
  const [, scheme = '', id = ''] = /^([a-z]+:[a-z]{2}:[a-z-]+)[:/ ]+(\S+)$/i.exec(typed) ?? []
  if (isMerchantIdentifier({ scheme, id })) return [{ kind: 'merchant', scheme, id }]
  if (wholeUuid.test(typed)) return [{ kind: 'id', id: typed.toLowerCase() }]
  if (almostUuid.test(typed)) return [{ kind: 'malformedId', id: typed.toLowerCase() }]
  return meaningsOfNumber(typed) ?? [{ kind: 'text', text: typed.slice(0, longestText) }]
}

/** A page of the portal, or the link of an order. */
function meaningsOfLink(typed: string): readonly Meaning[] {
  if (!URL.canParse(typed, 'http://portal')) return [{ kind: 'text', text: typed.slice(0, longestText) }]
  const { pathname, searchParams } = new URL(typed, 'http://portal')
  const [, msn] = /\/sales-units\/(\d{4,10})$/.exec(pathname) ?? []
  if (msn !== undefined) return [{ kind: 'salesUnit', msn }]
  const [, scheme = '', id = ''] = /.*\/merchants\/([^/]+)\/([^/]+)(?:\/|$)/.exec(pathname) ?? []
  if (isMerchantIdentifier({ scheme, id })) return [{ kind: 'merchant', scheme, id }]
  const q = searchParams.get('q')?.trim() ?? ''
  if (/\/(partners|merchants)\//.test(pathname) && q !== '' && !q.includes('/')) return meaningsOf(q)
  const [order = ''] = uuid.exec(typed) ?? []
  const text: readonly Meaning[] = typed.length > longestText ? [] : [{ kind: 'text', text: typed }]
  return [{ kind: 'id', id: order.toLowerCase(), url: typed }, ...text]
}

/** Words that say what a number is; others make it a name. */
const words: readonly (readonly [RegExp, IdentifierCountry | 'MSN' | undefined])[] = [
  [/^MSN/i, 'MSN'],
  [/^(NO|organisasjonsnummer)(?![a-z])/i, 'NO'],
  [/^(DK|CVR)(-?n(umme)?r)?(?![a-z])/i, 'DK'],
  [/^(FI|Y-tunnus)(?![a-z])/i, 'FI'],
  [/^SE(?=[\s:.-]*\d)/i, 'SE'],
  [/^(organisationsnummer|org\.?\s?-?n(umme)?r|org|VAT)(?![a-z])/i, undefined],
]

function meaningsOfNumber(typed: string): readonly Meaning[] | undefined {
  let named: IdentifierCountry | 'MSN' | undefined
  let rest = typed.replace(/[\s.]*MVA$/i, '')
  if (rest !== typed) named = 'NO'
  for (let word = wordOf(rest); word !== undefined; word = wordOf(rest)) {
    named = word.meant ?? named
    rest = rest.slice(word.length).replace(/^[\s:.-]+/, '')
  }
  if (!/^\d[\d\s.-]*$/.test(rest)) return undefined
  const written = rest.replaceAll(/[\s.]/g, '')
  const digits = organisationDigits(written.replaceAll('-', ''), named)
  if (digits.length < (named === undefined ? 4 : 2)) return undefined
  if (/^\d{7}-\d$/.test(written)) return identifierMeanings('FI', digits, true)
  if (/^\d{6}-\d{4}$/.test(written)) return identifierMeanings('SE', digits, true)
  const unnamed = unnamedMeanings(digits)
  if (named === undefined) return unnamed
  const isMsn = named === 'MSN' && msnPattern.test(digits)
  if (isMsn) return [{ kind: 'salesUnit', msn: digits }]
  const meant: readonly Meaning[] =
    named === 'MSN'
      ? [{ kind: 'malformed', country: named, digits, problem: 'length', isNamed: true }]
      : identifierMeanings(named, digits, true)
  // With another length it may be another number, such as an MSN.
  const isOther = meant.some((meaning) => meaning.kind === 'malformed' && meaning.problem === 'length')
  return isOther ? [...meant, ...unnamed.filter(({ kind }) => kind !== 'malformed')] : meant
}

function wordOf(text: string) {
  for (const [pattern, meant] of words) {
    const [found] = pattern.exec(text) ?? []
    if (found !== undefined) return { meant, length: found.length }
  }
  return undefined
}

/** Without the `01` of a Swedish VAT number, and the century of a number in twelve digits. */
function organisationDigits(digits: string, named: IdentifierCountry | 'MSN' | undefined): string {
  if (digits.length !== digitCount('SE') + 2) return digits
  if (named === 'SE' && digits.endsWith('01') && digitProblem('SE', digits.slice(0, -2)) === undefined)
    return digits.slice(0, -2)
  return digits.startsWith('16') ? digits.slice(2) : digits
}

function identifierMeanings(country: IdentifierCountry, digits: string, isNamed: boolean): readonly Meaning[] {
  const problem = digitProblem(country, digits)
  return problem === undefined || problem === 'unusual'
    ? [{ kind: 'digits', country, digits, isUnusual: problem === 'unusual' }]
    : [{ kind: 'malformed', country, digits, problem, isNamed }]
}

/** MSNs have 4 to 10 digits, most of them 5 to 8; so a number of 9 or 10 is rather an identifier, even a wrong one. */
function unnamedMeanings(digits: string): readonly Meaning[] {
  const { length } = digits
  const identifiers = markets
    .filter((country) => digitCount(country) === length)
    .flatMap((country) => identifierMeanings(country, digits, false))
    // A Finnish number without its dash is only likely when its check digit fits.
    .filter((meaning) => meaning.kind !== 'malformed' || meaning.country !== 'FI')
  const msn: readonly Meaning[] = msnPattern.test(digits) ? [{ kind: 'salesUnit', msn: digits }] : []
  const fits = identifiers.filter((meaning) => meaning.kind === 'digits' && !meaning.isUnusual)
  const others = identifiers.filter((meaning) => !fits.includes(meaning))
  const likely = length > 8 ? [...fits, ...others, ...msn] : [...fits, ...msn, ...others]
  if (likely.length > 0) return likely
  return [{ kind: 'malformed', country: undefined, digits, problem: 'length', isNamed: false }]
}
