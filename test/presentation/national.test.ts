import { describe, expect, it } from 'vitest'
import { accountText, postTownOf } from '../../src/presentation/national.ts'

/** With plain spaces instead of no-break spaces. */
function spaced(text: string): string {
  return text.replaceAll('\u00A0', ' ')
}

describe('a bank account', () => {
  it.each([
    ['BBAN:NO', '86011117947', '8601 11 17947'],
    ['BBAN:DK', '12341234567890', '1234 1234567890'],
    ['IBAN', 'NO9386011117947', 'NO93 8601 1117 947'],
    ['IBAN:FI', 'FI2112345600000785', 'FI21 1234 5600 0007 85'],
    ['BBAN:FI', '12345600000785', '12345600000785'],
    ['BBAN:NO', '123', '123'],
    ['MOON', 'x', 'x'],
    [undefined, '86011117947', '86011117947'],
  ])('%s %s is written in the groups of its country', (scheme, id, text) => {
    expect(spaced(accountText({ scheme, id }))).toBe(text)
  })
})

describe('a post town', () => {
  it.each([
    [{ postCode: '11455', city: 'Stockholm', countryCode: 'SE' }, '114 55 Stockholm'],
    [{ postCode: '114 55', city: 'Stockholm', countryCode: 'SE' }, '114 55 Stockholm'],
    [{ postCode: '0184', city: 'Oslo', countryCode: 'NO' }, '0184 Oslo'],
    [{ city: 'Oslo' }, 'Oslo'],
    [{ postCode: '0184' }, '0184'],
  ])('%j has its postcode as its country writes it', (address, text) => {
    expect(spaced(postTownOf(address))).toBe(text)
  })
})
