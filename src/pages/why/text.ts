import { removedSalesUnits, salesUnitsNamed, type Trace } from '../../store/traces.ts'
import { organisationPath } from '../../domain/organisation.ts'
import { searchGroups } from '../search/groups.ts'
import { type Answer, type Case, type Line, lineOf, listNote, type Question } from './answer.ts'
import { elsewhereAnswer, elsewhereOf } from './elsewhere.ts'
import { salesUnitLine } from './similar.ts'

/** The most matches of a kind that an answer lists. */
const most = 3
/** The shortest text that is searched in all organisations of the user: the index needs three letters. */
const leastLetters = 3

/** What is known of a name, or of any other text. */
export async function textCase(question: Question, q: string): Promise<Case> {
  const { db, organisation, others, language, seesDevelopers } = question
  const organisations = others.map((other) => other.organisation)
  const groups = await searchGroups({ db, organisation, q, language }, seesDevelopers)
  const removed = await removedSalesUnits(db, organisation, q)
  const there = q.length < leastLetters ? [] : await salesUnitsNamed(db, organisations, q)
  const gone = removed.slice(0, most).map((trace) => salesUnitLine(question, trace))
  if (groups.length > 0)
    return {
      known: 'here',
      answer: async () => hereAnswer(question, q, groups, [...gone, ...elsewhereLines(question, there)]),
    }
  const elsewhere = elsewhereOf(question, there)
  if (elsewhere) {
    const name = elsewhere.trace.name ?? elsewhere.trace.key
    const what = { key: 'textElsewhere', values: { name }, path: `sales-units/${elsewhere.trace.key}` }
    return { known: 'elsewhere', answer: async () => elsewhereAnswer(question, elsewhere, what) }
  }
  if (gone.length > 0) return { known: 'seen', answer: async () => goneAnswer(question, q, gone) }
  return { known: 'never', answer: async () => absentAnswer(question, q) }
}

function hereAnswer(
  { language, base }: Question,
  q: string,
  groups: Awaited<ReturnType<typeof searchGroups>>,
  similar: readonly Line[],
): Answer {
  const { t } = language
  const lines = groups.flatMap(({ key, rows }) =>
    rows.slice(0, most).map(({ path, name, id }): Line => {
      const link = { href: `${base}/${path}`, text: name === '' ? id : name }
      return { before: '', link, after: '', sign: 'yes', note: t(`search.groups.${key}`) }
    }),
  )
  const link = { href: `${base}/search?${new URLSearchParams({ q }).toString()}`, text: t('search.titleOf', { q }) }
  return {
    sentence: t('why.textHere.title', { q }),
    text: t('why.textHere.text'),
    evidence: lines,
    steps: [lineOf(language, 'why.steps.search', {}, { link })],
    similar,
  }
}

function elsewhereLines(question: Question, traces: readonly Trace[]): Line[] {
  return traces.slice(0, most).flatMap((trace) => {
    const elsewhere = elsewhereOf(question, [trace])
    if (!elsewhere) return []
    const link = {
      href: `${organisationPath(elsewhere.organisation)}/sales-units/${trace.key}`,
      text: trace.name ?? trace.key,
    }
    return [{ before: '', link, after: '', note: elsewhere.organisation.name }]
  })
}

function goneAnswer({ language }: Question, q: string, gone: readonly Line[]): Answer {
  return {
    sentence: language.t('why.textGone.title', { q }),
    text: language.t('why.textGone.text'),
    evidence: gone.map((line) => ({ ...line, sign: 'no' as const })),
    steps: [lineOf(language, 'why.steps.follow')],
  }
}

function absentAnswer(question: Question, q: string): Answer {
  const { language, organisation } = question
  const { t } = language
  const isPartner = organisation.kind === 'partner'
  const searched = ['salesUnits', ...(isPartner ? ['productOrders', 'templates', 'pricePackages'] : [])]
  return {
    sentence: t('why.textAbsent.title', { q }),
    text: t(isPartner ? 'why.textAbsent.text' : 'why.textAbsent.textMerchant'),
    evidence: searched.map((key) => {
      const list = t(`menu.${key}`)
      return lineOf(language, 'why.evidence.notInList', { list }, { sign: 'no', note: listNote(question, key) })
    }),
    steps: [
      lineOf(language, 'why.steps.partOfName'),
      ...(isPartner ? [lineOf(language, 'why.steps.askNumber'), lineOf(language, 'why.steps.askNamed')] : []),
    ],
  }
}
