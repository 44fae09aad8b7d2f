import {
  digitCount,
  digitProblem,
  type IdentifierCountry,
  identifierOfDigits,
  slipsOf,
} from '../../domain/check-digits.ts'
import { identifierText } from '../../domain/business-identifier.ts'
import { merchantsWithId } from '../../store/merchants.ts'
import { type Answer, type Case, type Line, lineOf, type Question } from './answer.ts'
import type { Meaning } from './meanings.ts'
import { merchantCase } from './merchant.ts'
import { similarNumbers } from './similar.ts'

type Malformed = Extract<Meaning, { kind: 'malformed' }>

/** What is known of the digits of a country's identifier. */
export async function digitsCase(
  question: Question,
  { country, digits, isUnusual }: Extract<Meaning, { kind: 'digits' }>,
): Promise<Case> {
  const identifier = identifierOfDigits(country, digits) ?? (await storedIdentifier(question, digits))
  if (!identifier) return { known: 'never', answer: async () => schemelessAnswer(question, digits) }
  const found = await merchantCase(question, identifier)
  if (!isUnusual || found.known === 'here') return found
  const line = lineOf(question.language, 'why.evidence.unusualCvr', {}, { sign: 'none' })
  const answer: Case['answer'] = async (look) => {
    const given = await found.answer(look)
    return { ...given, evidence: [...given.evidence, line] }
  }
  return { ...found, answer }
}

/** A merchant with these digits in a scheme that is not documented. */
async function storedIdentifier({ db, organisation }: Question, digits: string) {
  const written = [digits, `${digits.slice(0, 6)}-${digits.slice(6)}`]
  for (const id of written) {
    const [found] = await merchantsWithId(db, organisation, id)
    if (found) return found
  }
  return undefined
}

async function schemelessAnswer(question: Question, digits: string): Promise<Answer> {
  const { language } = question
  const name = `SE ${digits.slice(0, 6)}-${digits.slice(6)}`
  return {
    sentence: language.t('why.merchantUnasked.title', { name }),
    text: language.t('why.merchantUnasked.text'),
    evidence: [
      lineOf(language, 'why.evidence.noUnits', {}, { sign: 'no' }),
      lineOf(language, 'why.evidence.noScheme', {}, { sign: 'none' }),
    ],
    steps: [lineOf(language, 'why.steps.askUnits'), lineOf(language, 'why.steps.send', {}, { copies: true })],
    similar: await similarNumbers(question, digits),
  }
}

/** A number that is none, unless the organisation has a merchant with it all the same. */
export async function malformedCase(question: Question, meaning: Malformed): Promise<Case> {
  const { country, digits, problem } = meaning
  if (country !== undefined && country !== 'MSN' && problem === 'checkDigit') {
    const identifier = identifierOfDigits(country, digits)
    const found = identifier && (await merchantCase(question, identifier))
    if (found && found.known !== 'never') return found
  }
  return { known: 'wrong', answer: async () => malformedAnswer(question, meaning) }
}

async function malformedAnswer(question: Question, { country, digits, problem }: Malformed): Promise<Answer> {
  const { language } = question
  const { t } = language
  const length = country === undefined || country === 'MSN' ? undefined : digitCount(country)
  const key = problem === 'checkDigit' ? 'wrongDigit' : country === undefined ? 'noNumber' : 'wrongLength'
  const what = t(`why.numbers.${country ?? 'MSN'}`)
  const values = { what, needed: length ?? '4–10', length: digits.length, digits }
  return {
    sentence: t(`why.${key}.title`, values),
    text: t(`why.${key}.${meaningOf(digits, length)}`, values),
    evidence: [lineOf(language, `why.evidence.${key}`, values, { sign: 'no' })],
    steps: [
      ...(problem === 'checkDigit' && country !== undefined && country !== 'MSN'
        ? swappedLines(question, country, digits)
        : []),
      lineOf(language, 'why.steps.checkNumber'),
    ],
    similar: await similarNumbers(question, digits),
    showsFormats: true,
  }
}

/** The likely slip: with the right length digits are swapped or wrong; else one or more are missing or too many. */
function meaningOf(digits: string, length: number | undefined): string {
  if (length === undefined || digits.length === length) return 'text'
  const difference = digits.length - length
  if (Math.abs(difference) > 1) return 'text'
  return difference < 0 ? 'textMissing' : 'textTooMany'
}

/** The most numbers with two digits swapped that an answer proposes. */
const mostSwapped = 3

/** Numbers with a fitting check digit that become this one when two neighbours are swapped. */
function swappedLines({ language, base }: Question, country: IdentifierCountry, digits: string): Line[] {
  const fitting = slipsOf(digits).swapped.filter((slip) => digitProblem(country, slip) === undefined)
  return fitting.slice(0, mostSwapped).map((slip) => {
    const identifier = identifierOfDigits(country, slip)
    const text = identifier ? identifierText(identifier) : slip
    const link = { href: `${base}/why?${new URLSearchParams({ q: text.replaceAll('\u00A0', ' ') }).toString()}`, text }
    return lineOf(language, 'why.steps.swapped', {}, { link })
  })
}
