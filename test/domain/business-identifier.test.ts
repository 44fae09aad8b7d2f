import { describe, expect, it } from 'vitest'
import { asStoredIdentifier, identifierText } from '../../src/domain/business-identifier.ts'

describe('a business identifier', () => {
  it.each([
    ['business:NO:ORG', '987654321', 'NO 987 654 321'],
    ['business:NO:ORG', '98765432', 'NO 98765432'],
    ['business:DK:CVR', '12345678', 'DK 12345678'],
    ['business:FI:Y-tunnus', '1234567-8', 'FI 1234567-8'],
    ['business:FI:Y-tunnus', '12345678', 'FI 1234567-8'],
    ['business:SE:ORG', '5560125790', 'SE 556012-5790'],
    ['business:SE:ORG', '556012-5790', 'SE 556012-5790'],
  ])('of %s %s is written as in its country', (scheme, id, text) => {
    expect(identifierText({ scheme, id }).replaceAll('\u00A0', ' ')).toBe(text)
  })

  it.each([
    ['NO 987 654 321', '987654321'],
    ['DK CVR 12345678', '12345678'],
    ['FI 1234567-8', '1234567-8'],
    ['No 7', 'No 7'],
    ['Fitness 24', 'Fitness 24'],
  ])('is found when the user types "%s"', (typed, searched) => {
    expect(asStoredIdentifier(typed)).toBe(searched)
  })
})
