import { slipsOf, digitCount, identifierOfDigits } from '../../domain/check-digits.ts'
import { identifierText, markets, merchantKey } from '../../domain/business-identifier.ts'
import { msnPattern } from '../../domain/organisation.ts'
import { findTraces, salesUnitsNamed, type Trace } from '../../store/traces.ts'
import type { Line, Question } from './answer.ts'

/** The most records that an answer proposes. */
const most = 5

/** The organisation's records whose number differs by one slip; without any, those that contain the digits. */
export async function similarNumbers(question: Question, digits: string): Promise<readonly Line[]> {
  const { db, organisation } = question
  const { swapped, others } = slipsOf(digits)
  const slips = [...swapped, ...others]
  const identifiers = markets.flatMap((country) =>
    slips
      .filter(({ length }) => length === digitCount(country))
      .flatMap((slip) => identifierOfDigits(country, slip) ?? [])
      .map(merchantKey),
  )
  const msns = slips.filter((slip) => msnPattern.test(slip))
  const isPartner = organisation.kind === 'partner'
  const merchants = isPartner ? await findTraces(db, [organisation], 'merchants', identifiers) : []
  const salesUnits = await findTraces(db, [organisation], 'sales_units', msns)
  const active = merchants.filter(({ removedAt }) => !removedAt)
  const isNone = active.length + salesUnits.length === 0
  const units = isNone ? await salesUnitsNamed(db, [organisation], digits) : salesUnits
  const lines = [
    ...active.map((trace) => merchantLine(question, trace)),
    ...units.map((trace) => salesUnitLine(question, trace)),
  ]
  return lines.slice(0, most)
}

/** A sales unit with its MSN, as a link; no link to a removed one, but to its answer. */
export function salesUnitLine({ base, language }: Question, { key, name, removedAt }: Trace): Line {
  const { t, format } = language
  const href = removedAt ? `${base}/why?q=${key}` : `${base}/sales-units/${key}`
  const note = removedAt ? `${key} · ${t('why.until', { at: format.moment(removedAt) })}` : key
  return { before: '', link: { href, text: name ?? key }, after: '', note }
}

function merchantLine({ base }: Question, { key, name }: Trace): Line {
  const [scheme = '', id = ''] = key.split('/')
  return {
    before: '',
    link: { href: `${base}/merchants/${scheme}/${encodeURIComponent(id)}`, text: name ?? id },
    after: '',
    note: identifierText({ scheme, id }),
  }
}
