import { isMerchantIdentifier, organisationKey } from '../../domain/organisation.ts'
import { readStored } from '../../management-api/lenient.ts'
import { salesUnit } from '../../management-api/sales-units.ts'
import type { Language } from '../../presentation/language.ts'
import { changesOf } from '../../store/changes.ts'
import { findSalesUnit, salesUnitsOfMerchant } from '../../store/sales-units.ts'
import { findTraces, type Trace } from '../../store/traces.ts'
import { againSteps, type Answer, type Case, isUnasked, type Line, lineOf, listNote, lookLines } from './answer.ts'
import type { Question } from './answer.ts'
import { elsewhereAnswer, elsewhereOf } from './elsewhere.ts'
import type { Look } from './live-look.ts'
import { similarNumbers } from './similar.ts'

/** What is known of a sales unit. */
export async function salesUnitCase(question: Question, msn: string): Promise<Case> {
  const { db, organisation, others } = question
  const organisations = [organisation, ...others.map((other) => other.organisation)]
  const traces = await findTraces(db, organisations, 'sales_units', [msn])
  const own = traces.find((trace) => trace.organisation === organisationKey(organisation))
  const wanted = { resource: 'salesUnit', key: msn, since: own?.removedAt ?? undefined } as const
  if (own && !own.removedAt) return { known: 'here', answer: async () => hereAnswer(question, own) }
  const elsewhere = elsewhereOf(question, traces)
  if (elsewhere) {
    const what = { key: 'salesUnitElsewhere', values: { msn }, path: `sales-units/${msn}` }
    return { known: 'elsewhere', answer: async () => elsewhereAnswer(question, elsewhere, what) }
  }
  if (own?.removedAt) {
    const { removedAt } = own
    return { known: 'seen', wanted, answer: async (look) => goneAnswer(question, { ...own, removedAt }, look) }
  }
  return { known: 'never', wanted, answer: async (look) => absentAnswer(question, msn, look) }
}

function hereAnswer(question: Question, { key: msn, name, firstSeenAt }: Trace): Answer {
  const { language, base } = question
  const { t, format } = language
  const link = { href: `${base}/sales-units/${msn}`, text: name ?? msn }
  const all = { href: `${base}/sales-units`, text: t('menu.salesUnits') }
  return {
    sentence: t('why.salesUnitHere.title', { name: link.text }),
    text: t('why.salesUnitHere.text', { msn }),
    evidence: [
      lineOf(language, 'why.evidence.listed', {}, { sign: 'yes', note: listNote(question, 'salesUnits') }),
      lineOf(language, 'why.evidence.firstSeen', { at: format.longDay(firstSeenAt) }, { sign: 'yes' }),
    ],
    steps: [lineOf(language, 'why.steps.open', {}, { link }), lineOf(language, 'why.steps.filters', {}, { link: all })],
  }
}

async function goneAnswer(
  question: Question,
  { key: msn, name, firstSeenAt, removedAt, removedBy }: Trace & { readonly removedAt: Date },
  look: Look | undefined,
): Promise<Answer> {
  const { language, organisation } = question
  const { t, format } = language
  const at = format.moment(removedAt)
  const noticed =
    removedBy === 'details'
      ? lineOf(language, 'why.evidence.left404', { at }, { sign: 'no' })
      : lineOf(language, 'why.evidence.leftList', { at }, { sign: 'no', note: listNote(question, 'salesUnits') })
  const isPresent = look?.said === 'present'
  const kind = organisation.kind === 'partner' ? 'text' : 'textMerchant'
  return {
    sentence: t('why.salesUnitGone.title', { msn, at }),
    text: t(`why.salesUnitGone.${isPresent ? 'textPresent' : kind}`),
    reasons: reasonsOf(question, 'salesUnitNotShared').slice(0, -1),
    evidence: [
      lineOf(
        language,
        'why.evidence.wasYours',
        { name: name ?? msn, at: format.longDay(firstSeenAt) },
        { sign: 'yes' },
      ),
      noticed,
      ...(await earlierGaps(question, msn)),
      ...lookLines(question, look),
      ...(await merchantLines(question, msn)),
    ],
    steps: [
      lineOf(language, organisation.kind === 'partner' ? 'why.steps.askClosed' : 'why.steps.askService'),
      lineOf(language, 'why.steps.send', {}, { copies: true }),
      ...againSteps(question, msn, look),
    ],
  }
}

/** When it was gone before, and came back. */
async function earlierGaps({ db, organisation, language }: Question, msn: string): Promise<Line[]> {
  const { format } = language
  const changes = await changesOf(db, organisation, 'salesUnit', msn)
  return changes.flatMap(({ kind, at }, index) => {
    const removed = changes.slice(index + 1).find((change) => change.kind === 'removed')
    if (kind !== 'returned' || !removed) return []
    const values = { from: format.moment(removed.at), to: format.moment(at) }
    return [lineOf(language, 'why.evidence.cameBack', values, { sign: 'none' })]
  })
}

/** The most sales units of a merchant that are counted. */
const mostUnits = 1000

async function merchantLines({ db, organisation, language, base }: Question, msn: string): Promise<Line[]> {
  if (organisation.kind !== 'partner') return []
  const stored = await findSalesUnit(db, organisation, msn)
  const identifier = stored?.details ? readStored(salesUnit, stored.details).businessIdentifier : undefined
  if (!stored || !identifier || !isMerchantIdentifier(identifier)) return []
  const { length: count } = await salesUnitsOfMerchant(db, organisation, identifier, mostUnits)
  const name = stored.merchantName ?? identifier.id
  if (count === 0) return [lineOf(language, 'why.evidence.merchantNone', { name }, { sign: 'no' })]
  const link = { href: `${base}/merchants/${identifier.scheme}/${identifier.id}`, text: name }
  return [lineOf(language, 'why.evidence.merchantUnits', { count }, { sign: 'yes', link })]
}

async function absentAnswer(question: Question, msn: string, look: Look | undefined): Promise<Answer> {
  const { language, organisation } = question
  const { t } = language
  const key = isUnasked(look) ? 'salesUnitUnasked' : 'salesUnitAbsent'
  const isPartner = organisation.kind === 'partner'
  return {
    sentence: t(`why.${key}.title`, { msn }),
    text: t(`why.${key}.text`),
    reasons: reasonsOf(question, 'salesUnitNotShared'),
    evidence: [
      lineOf(language, 'why.evidence.notListed', {}, { sign: 'no', note: listNote(question, 'salesUnits') }),
      lineOf(language, 'why.evidence.neverSeen', {}, { sign: 'no' }),
      ...lookLines(question, look),
    ],
    steps: [
      ...againSteps(question, msn, look),
      lineOf(language, isPartner ? 'why.steps.askMsn' : 'why.steps.checkMsn'),
      ...(isPartner ? [lineOf(language, 'why.steps.askNamed')] : []),
      lineOf(language, isPartner ? 'why.steps.send' : 'why.steps.askService', {}, { copies: isPartner }),
    ],
    similar: await similarNumbers(question, msn),
  }
}

/** The usual reasons, as the error pages have them, the mistyped number last. */
export function reasonsOf(
  { language, organisation }: Pick<Question, 'language' | 'organisation'>,
  page: 'salesUnitNotShared' | 'merchantNotShared' | 'productOrderNotShared',
): string[] {
  const all = ['inactive', 'merchantInactive', 'otherPartner', 'number', 'typo']
  const isShown = (reason: string): boolean => organisation.kind === 'partner' || reason !== 'otherPartner'
  return all.filter(isShown).flatMap((reason) => messageOf(language, `errors.${page}.reasons.${reason}`))
}

function messageOf({ has, t }: Language, key: string): string[] {
  return has(key) ? [t(key)] : []
}
