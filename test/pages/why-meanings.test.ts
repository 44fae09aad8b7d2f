import { expect, it } from 'vitest'
import { meaningsOf } from '../../src/pages/why/meanings.ts'

/** The meanings in short: kind, and the number or text. */
function inShort(typed: string): string[] {
  return meaningsOf(typed).map((meaning) => {
    switch (meaning.kind) {
      case 'salesUnit':
        return `MSN ${meaning.msn}`
      case 'merchant':
        return `${meaning.scheme} ${meaning.id}`
      case 'digits':
        return `${meaning.country} ${meaning.digits}${meaning.isUnusual ? ', unusual' : ''}`
      case 'malformed':
        return `no ${meaning.country ?? 'number'} ${meaning.digits}: ${meaning.problem}`
      default:
        return `${meaning.kind} ${'id' in meaning ? meaning.id : meaning.text}`
    }
  })
}

it.each([
  ['214 503', ['MSN 214503']],
  ['msn: 214503', ['MSN 214503']],
  ['org.nr. 974 760 673 MVA', ['NO 974760673']],
  ['NO974760673MVA', ['NO 974760673']],
  ['974760673', ['NO 974760673', 'MSN 974760673']],
  ['974760674', ['no NO 974760674: checkDigit', 'MSN 974760674']],
  ['CVR-nr. 13 74 81 36', ['DK 13748136']],
  ['DK13748137', ['DK 13748137, unusual']],
  ['13748136', ['DK 13748136', 'MSN 13748136']],
  ['FI 0112038-9', ['FI 01120389']],
  ['01120389', ['FI 01120389', 'MSN 01120389', 'DK 01120389, unusual']],
  ['556012-5790', ['SE 5560125790']],
  ['SE556012579001', ['SE 5560125790']],
  ['165560125790', ['SE 5560125790', 'MSN 5560125790']],
  ['NO 123456', ['no NO 123456: length', 'MSN 123456']],
  ['12345678901', ['no number 12345678901: length']],
  ['business:FI:Y-tunnus/0112038-9', ['business:FI:Y-tunnus 0112038-9']],
  ['7 11', ['text 7 11']],
  ['No 7', ['text No 7']],
  ['Kiosk 7 11', ['text Kiosk 7 11']],
  ['Senter 2024', ['text Senter 2024']],
  ['https://portal.example/partners/12345/sales-units/214503', ['MSN 214503']],
  ['/merchants/business:NO:ORG/974760673/details', ['business:NO:ORG 974760673']],
  ['https://portal.example/partners/12345/sales-units?q=fitness', ['text fitness']],
  [
    'https://orders.example/12745D37-ce52-55a3-bb28-0479c9d32d7d?a=b',
    ['id 12745d37-ce52-55a3-bb28-0479c9d32d7d', 'text https://orders.example/12745D37-ce52-55a3-bb28-0479c9d32d7d?a=b'],
  ],
  ['12745d37-ce52-55a3-bb28-0479c9d32d7', ['malformedId 12745d37-ce52-55a3-bb28-0479c9d32d7']],
])('"%s" means %j', (typed, meanings) => {
  expect(inShort(typed)).toEqual(meanings)
})
