import type { Organisation } from '../../domain/organisation.ts'
import type { Choice } from '../../auth/access.ts'
import type { Language, Translate } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import type { Lists } from '../../sync/freshness.ts'
import type { Look, Wanted } from './live-look.ts'

/** A user's question, and what the answers are made from. */
export type Question = {
  readonly db: Handle
  readonly organisation: Organisation
  /** The other organisations that the user may act as; nothing of any other is read. */
  readonly others: readonly Choice[]
  readonly seesDevelopers: boolean
  readonly language: Language
  readonly lists: Lists
  /** The path of the organisation's section. */
  readonly base: string
}

/** A line of evidence or a step: a message with a link in it, if it has one. */
export type Line = {
  readonly before: string
  readonly link?: { readonly href: string; readonly text: string }
  readonly after: string
  /** Whether it speaks for the record being there, or against it. */
  readonly sign?: 'yes' | 'no' | 'none'
  readonly note?: string | undefined
  /** The page can copy the answer behind it. */
  readonly copies?: boolean
}

/** One sentence, its evidence, and what to do next. */
export type Answer = {
  readonly sentence: string
  readonly text: string
  readonly reasons?: readonly string[]
  readonly evidence: readonly Line[]
  readonly steps: readonly Line[]
  /** Records with a similar number or name. */
  readonly similar?: readonly Line[]
  /** Shows how numbers look. */
  readonly showsFormats?: boolean
}

/** What the store knows for one meaning. `seen`: only traces of it; `wrong`: it cannot be a number of that kind. */
export type Case = {
  readonly known: 'here' | 'elsewhere' | 'seen' | 'never' | 'wrong'
  /** The record that the API can be asked about. */
  readonly wanted?: Wanted | undefined
  /** @param look what the API said, if it was asked */
  readonly answer: (look: Look | undefined) => Promise<Answer>
}

type Values = Parameters<Translate>[1]

/** A message, with the link in place of its `{{link}}`. */
export function lineOf(
  { t }: Pick<Language, 't'>,
  key: string,
  values: Values = {},
  more: Omit<Line, 'before' | 'after'> = {},
): Line {
  // The database stores no NUL, so no value contains one.
  const [before = '', after = ''] = t(key, { ...values, link: '\0' }).split('\0')
  return { before, after, ...more }
}

/** The line that says what the API has just answered; none when it was not asked. */
export function lookLines({ language }: Question, look: Look | undefined): Line[] {
  if (!look) return []
  const { t, format } = language
  if (look.said === 'failed') {
    const text = t(`fresh.${look.failure}`, { since: format.moment(look.since) })
    return [{ before: text, after: '', sign: 'none', note: t('why.evidence.notAsked') }]
  }
  if (look.said === 'silent') return [lineOf(language, 'why.evidence.silent', {}, { sign: 'none' })]
  if (look.said === 'limited')
    return [lineOf(language, 'why.evidence.limited', { wait: format.ahead(look.waitMs) }, { sign: 'none' })]
  const ago = format.ago(Date.now() - look.at.getTime())
  const sign = look.said === 'present' ? 'yes' : 'no'
  return [lineOf(language, `why.evidence.${look.said}`, {}, { sign, note: t('common.checked', { ago }) })]
}

/** Whether the API could not be asked, so that only the store speaks. */
export function isUnasked(look: Look | undefined): boolean {
  return look !== undefined && look.said !== 'present' && look.said !== 'absent'
}

/** When a list was last read, or that it has not been. */
export function listNote({ language: { t, format }, lists }: Question, resource: string): string {
  const list = lists.get(resource)
  if (!list?.checkedAt) return t('fresh.beingRead')
  return t('common.checked', { ago: format.ago(Date.now() - list.checkedAt.getTime()) })
}

/** The steps of a user who could not be told for certain. */
export function againSteps({ language, base }: Question, q: string, look: Look | undefined): Line[] {
  if (!isUnasked(look)) return []
  const link = { href: `${base}/why?${new URLSearchParams({ q }).toString()}`, text: language.t('why.again') }
  return [lineOf(language, 'why.steps.again', {}, { link })]
}
