const noBreak = '\u00A0'

/** How a country writes its business identifiers: groups of digits, and what stands between them. */
const formats: Readonly<Record<string, { readonly groups: readonly number[]; readonly between: string }>> = {
  // Brønnøysundregistrene: groups of three. Danish CVR numbers have no groups.
  NO: { groups: [3, 3, 3], between: noBreak },
  FI: { groups: [7, 1], between: '-' },
  // Bolagsverket: the last four digits after a hyphen.
  SE: { groups: [6, 4], between: '-' },
}

/** The country of a scheme such as `business:NO:ORG`; the scheme itself when it names none. */
export function countryOf(scheme: string): string {
  return scheme.split(':')[1] ?? scheme
}

/**
 * A business identifier as written in its country, always after the country's code: NO 987 654 321, DK 12345678,
 * FI 1234567-8, SE 556012-5790. `gaps` are the positions in the id that follow `between`.
 */
export function customOf({ scheme, id }: { readonly scheme: string; readonly id: string }): {
  readonly country: string
  readonly gaps: readonly number[]
  readonly between: string
} {
  const country = countryOf(scheme)
  const { groups, between } = formats[country] ?? { groups: [], between: '' }
  const isUsual = groups.reduce((sum, size) => sum + size, 0) === id.length
  const gaps = groups.map((_size, at) => groups.slice(0, at).reduce((sum, size) => sum + size, 0)).slice(1)
  return { country, gaps: isUsual ? gaps : [], between }
}

/** The identifier as one text with no-break spaces: `NO 987 654 321`. */
export function identifierText(identifier: { readonly scheme: string; readonly id: string }): string {
  const { country, gaps, between } = customOf(identifier)
  const written = identifier.id
    .split('')
    .map((sign, at) => (gaps.includes(at) ? between + sign : sign))
    .join('')
  return [country, written].filter(Boolean).join(noBreak)
}

/** Words of registers, which people type or copy with an identifier. */
const words = '(?:business|no|dk|fi|se|nr|org|orgnr|cvr|y|tunnus|vat|msn)'
const between = String.raw`[\s:.-]*`
/** Finnish identifiers are stored with a hyphen, which many leave out. */
const finnish = new RegExp(String.raw`(?<=^|\s)(?:(?:business|fi|y|tunnus)${between})+(\d{7})-?(\d)(?!\d)`, 'gi')
const register = new RegExp(
  String.raw`(?<=^|\s)(?:${words}${between})*(?:org|orgnr|cvr|tunnus|msn)${between}(?:nr${between})?(?=\d)`,
  'gi',
)
/** A country stands before three digits at least: "No 7" is more likely a name. */
const country = new RegExp(String.raw`(?<=^|\s)(?:(?:no|dk|fi|se|nr|vat)${between})+(?=(?:\d[\s-]*){3})`, 'gi')
/** What Norwegian companies write behind their number. */
const vatSuffix = /(?<=\d)\s?mva(?=$|\s)/gi

/** The text without words of registers around numbers: "DK CVR 12345678" is "12345678", "FI12345678" is "1234567-8". */
export function withoutRegister(text: string): string {
  return text.replaceAll(finnish, '$1-$2').replaceAll(register, '').replaceAll(country, '').replaceAll(vatSuffix, '')
}

/**
 * A search text in the stored form of identifiers: digits without spaces and country prefix. Other text is unchanged.
 */
export function asStoredIdentifier(q: string): string {
  const digits = withoutRegister(q)
  return /^\d[\d\s-]*\d$/.test(digits) ? digits.replaceAll(/\s/g, '') : q
}

/** `scheme/id`: the key of a merchant in the store. */
export function merchantKey({ scheme, id }: { readonly scheme: string; readonly id: string }): string {
  return `${scheme}/${id}`
}

/** The business identifier of a merchantKey(). */
export function merchantIdentifier(key: string): { readonly scheme: string; readonly id: string } {
  const [scheme = '', ...id] = key.split('/')
  return { scheme, id: id.join('/') }
}

/** The countries where Vipps MobilePay has merchants (ISO 3166), the largest first. */
export const markets = ['NO', 'DK', 'FI', 'SE'] as const
