import { countryOf } from '../domain/business-identifier.ts'

const noBreak = '\u00A0'

/** The usual account numbers of a country's banks, and the groups of their digits. */
const accounts: Readonly<Record<string, { readonly digits: RegExp; readonly groups: string }>> = {
  NO: { digits: /^(\d{4})(\d{2})(\d{5})$/, groups: ['$1', '$2', '$3'].join(noBreak) },
  DK: { digits: /^(\d{4})(\d{10})$/, groups: ['$1', '$2'].join(noBreak) },
}

/**
 * A bank account as people write it: NO 1234 56 78901, DK 1234 1234567890, an IBAN in fours. Other text is unchanged.
 * @param account.scheme such as `BBAN:NO`; without one only an IBAN is known
 */
export function accountText({
  scheme = '',
  id,
}: {
  readonly scheme?: string | undefined
  readonly id: string
}): string {
  if (/^[A-Z]{2}\d{2}[A-Z\d]{8,30}$/.test(id)) return id.match(/.{1,4}/g)?.join(noBreak) ?? id
  const written = accounts[countryOf(scheme)]
  return written ? id.replace(written.digits, written.groups) : id
}

/** The postcode and city of an address, as its country writes them: SE 114 55 Stockholm. */
export function postTownOf({
  postCode,
  city,
  countryCode,
}: {
  readonly postCode?: string | undefined
  readonly city?: string | undefined
  readonly countryCode?: string | undefined
}): string {
  const written = countryCode === 'SE' ? postCode?.replace(/^(\d{3})(\d{2})$/, `$1${noBreak}$2`) : postCode
  return [written, city].filter(Boolean).join(' ')
}
