import type { markets } from './business-identifier.ts'

/** A country whose business identifiers have a check digit that the portal knows. */
export type IdentifierCountry = (typeof markets)[number]

type Rule = {
  /** The API's scheme; undefined where the API's documentation names none. */
  readonly scheme: string | undefined
  readonly length: number
  /** The only possible last digit; undefined when no number begins with these digits. */
  readonly checkDigit: (digits: string) => string | undefined
  /** False when valid numbers may have another last digit. */
  readonly isBinding: boolean
}

/**
 * The numbers of the four countries, without spaces and dashes.
 * - NO: organisasjonsnummer, modulus 11 (Brønnøysundregistrene, "Om organisasjonsnummeret").
 * - DK: CVR-nummer, modulus 11 (Erhvervsstyrelsen, "Modulus 11-kontrol"). New numbers may not satisfy it, as the series
 *   is running out, so a CVR number with another last digit is unusual and not wrong.
 * - FI: Y-tunnus, modulus 11 (Patentti- ja rekisterihallitus and Verohallinto, "Y-tunnuksen tarkistusnumero").
 * - SE: organisationsnummer, the algorithm of Luhn; the third digit is at least 2, unlike in a personal identity number
 *   (Skatteverket, SKV 709).
 */
const rules: Readonly<Record<IdentifierCountry, Rule>> = {
  NO: { scheme: 'business:NO:ORG', length: 9, checkDigit: modulus11([3, 2, 7, 6, 5, 4, 3, 2]), isBinding: true },
  DK: { scheme: 'business:DK:CVR', length: 8, checkDigit: modulus11([2, 7, 6, 5, 4, 3, 2]), isBinding: false },
  FI: { scheme: 'business:FI:Y-tunnus', length: 8, checkDigit: modulus11([7, 9, 10, 5, 8, 4, 2]), isBinding: true },
  SE: { scheme: undefined, length: 10, checkDigit: luhn, isBinding: true },
}

/** What is wrong with the digits of an identifier; `unusual` may still be one. */
export type DigitProblem = 'length' | 'checkDigit' | 'unusual'

/** Checks digits as a country's identifier; undefined when nothing is wrong. */
export function digitProblem(country: IdentifierCountry, digits: string): DigitProblem | undefined {
  const { length, checkDigit, isBinding } = rules[country]
  if (digits.length !== length) return 'length'
  if (checkDigit(digits) === digits.at(-1)) return undefined
  return isBinding ? 'checkDigit' : 'unusual'
}

/** The number of digits of a country's identifiers. */
export function digitCount(country: IdentifierCountry): number {
  return rules[country].length
}

/** The digits as the API has them; undefined for a country without a documented scheme. */
export function identifierOfDigits(
  country: IdentifierCountry,
  digits: string,
): { readonly scheme: string; readonly id: string } | undefined {
  const { scheme } = rules[country]
  if (scheme === undefined) return undefined
  return { scheme, id: country === 'FI' ? `${digits.slice(0, -1)}-${digits.slice(-1)}` : digits }
}

/** The numbers that differ from `digits` by one slip: two neighbours swapped, or one digit wrong, missing or too many. */
export function slipsOf(digits: string): { readonly swapped: readonly string[]; readonly others: readonly string[] } {
  const places = Array.from({ length: digits.length + 1 }, (_, at) => [digits.slice(0, at), digits.slice(at)] as const)
  const swapped = places.map(([before, after]) => before + (after[1] ?? '') + (after[0] ?? '') + after.slice(2))
  const shorter = places.map(([before, after]) => before + after.slice(1))
  const rest = '0123456789'
    .split('')
    .flatMap((digit) => places.flatMap(([before, after]) => [before + digit + after.slice(1), before + digit + after]))
  const isOther = (one: string): boolean => one !== digits
  return { swapped: [...new Set(swapped)].filter(isOther), others: [...new Set([...shorter, ...rest])].filter(isOther) }
}

function modulus11(weights: readonly number[]): Rule['checkDigit'] {
  return (digits) => {
    const rest = weights.reduce((sum, weight, at) => sum + weight * Number(digits[at]), 0) % 11
    // A remainder of 1 would need the digit 10, so no number has it.
    return rest === 1 ? undefined : String((11 - rest) % 11)
  }
}

function luhn(digits: string): string | undefined {
  if (Number(digits[2]) < 2) return undefined
  const sum = digits
    .slice(0, -1)
    .split('')
    .reduce((total, digit, at) => {
      const doubled = at % 2 === 0 ? 2 * Number(digit) : Number(digit)
      return total + (doubled > 9 ? doubled - 9 : doubled)
    }, 0)
  return String((10 - (sum % 10)) % 10)
}
