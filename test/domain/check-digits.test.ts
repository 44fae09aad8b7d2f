import { describe, expect, it } from 'vitest'
import { digitProblem, identifierOfDigits, slipsOf } from '../../src/domain/check-digits.ts'

describe('the check digit of a business identifier', () => {
  it.each([
    ['NO', '974760673', undefined],
    ['NO', '923609016', undefined],
    ['NO', '923609017', 'checkDigit'],
    // 11 minus a remainder of 1 is no digit.
    ['NO', '300000070', 'checkDigit'],
    ['DK', '13748136', undefined],
    ['DK', '13748137', 'unusual'],
    ['FI', '01120389', undefined],
    ['FI', '01120388', 'checkDigit'],
    ['SE', '5560125790', undefined],
    ['SE', '5560125791', 'checkDigit'],
    // A personal identity number: its month is less than 20.
    ['SE', '8112189876', 'checkDigit'],
    ['NO', '92360901', 'length'],
    ['DK', '137481360', 'length'],
  ] as const)('of %s %s: %s', (country, digits, problem) => {
    expect(digitProblem(country, digits)).toBe(problem)
  })

  it('is written as the API has it', () => {
    expect(identifierOfDigits('FI', '01120389')).toEqual({ scheme: 'business:FI:Y-tunnus', id: '0112038-9' })
    expect(identifierOfDigits('SE', '5560125790')).toBeUndefined()
  })
})

it('slips are one digit swapped, wrong, missing or too many', () => {
  const { swapped, others } = slipsOf('1234')
  expect(swapped).toEqual(['2134', '1324', '1243'])
  for (const slip of ['1235', '9234', '123', '234', '12345', '01234']) expect(others).toContain(slip)
  expect([...swapped, ...others]).not.toContain('1234')
})
