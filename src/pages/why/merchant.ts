import { identifierText, merchantKey } from '../../domain/business-identifier.ts'
import { organisationKey } from '../../domain/organisation.ts'
import { pageSizes } from '../../domain/paging.ts'
import { everyOrder, findProductOrders } from '../../store/product-orders.ts'
import { salesUnitsOfMerchant } from '../../store/sales-units.ts'
import { findTraces, removedSalesUnitsOf, type Trace } from '../../store/traces.ts'
import { againSteps, type Answer, type Case, isUnasked, type Line, lineOf, listNote, lookLines } from './answer.ts'
import type { Question } from './answer.ts'
import { elsewhereAnswer, elsewhereOf } from './elsewhere.ts'
import type { Look } from './live-look.ts'
import { reasonsOf } from './sales-unit.ts'

type Identifier = { readonly scheme: string; readonly id: string }

/** The most sales units of a merchant that an answer lists. */
const mostUnits = 5

/** What is known of a merchant. A merchant's own portal has no other merchant. */
export async function merchantCase(question: Question, { scheme, id }: Identifier): Promise<Case> {
  const { db, organisation, others } = question
  const identifier = { scheme, id }
  const key = merchantKey(identifier)
  const organisations = [organisation, ...others.map((other) => other.organisation)]
  const traces = await findTraces(db, organisations, 'merchants', [key])
  const isOwn = organisationKey(organisation) === organisationKey({ kind: 'merchant', ...identifier })
  if (isOwn) return { known: 'here', answer: async () => ownAnswer(question, identifier) }
  const own = traces.find((trace) => trace.organisation === organisationKey(organisation))
  const salesUnits = await salesUnitsOfMerchant(db, organisation, identifier, mostUnits + 1)
  const removed = await removedSalesUnitsOf(db, organisation, identifier)
  const orderCount = await countOrders(question, identifier)
  const known: Known = { identifier, name: own?.name ?? undefined, removed, orderCount }
  if (salesUnits.length > 0) return { known: 'here', answer: async () => hereAnswer(question, known, salesUnits) }
  const elsewhere = elsewhereOf(question, traces)
  if (elsewhere) {
    const values = { name: elsewhere.trace.name ?? id }
    const path = elsewhere.organisation.kind === 'partner' ? `merchants/${scheme}/${id}` : 'details'
    const what = { key: 'merchantElsewhere', values, path }
    return { known: 'elsewhere', answer: async () => elsewhereAnswer(question, elsewhere, what) }
  }
  if (organisation.kind === 'merchant') return { known: 'never', answer: async () => foreignAnswer(question, known) }
  const wanted = { resource: 'merchant', key, since: removed[0]?.removedAt ?? undefined } as const
  const isSeen = own !== undefined || removed.length + orderCount > 0
  return { known: isSeen ? 'seen' : 'never', wanted, answer: async (look) => absentAnswer(question, known, look) }
}

type Known = {
  readonly identifier: Identifier
  readonly name: string | undefined
  /** Its sales units that the organisation had, the last removed first. */
  readonly removed: readonly Trace[]
  /** Its orders that name the organisation. */
  readonly orderCount: number
}

function ownAnswer({ language, organisation, base }: Question, identifier: Identifier): Answer {
  const { t } = language
  const link = { href: `${base}/details`, text: organisation.name }
  return {
    sentence: t('why.merchantHere.title', { name: organisation.name }),
    text: identifierText(identifier),
    evidence: [],
    steps: [lineOf(language, 'why.steps.open', {}, { link })],
  }
}

function hereAnswer(
  question: Question,
  { identifier: { scheme, id }, name = id, orderCount }: Known,
  salesUnits: readonly { readonly msn: string; readonly name: string }[],
): Answer {
  const { language, base } = question
  const { t } = language
  const link = { href: `${base}/merchants/${scheme}/${encodeURIComponent(id)}`, text: name }
  const units = salesUnits.slice(0, mostUnits).map((unit): Line => {
    const unitLink = { href: `${base}/sales-units/${unit.msn}`, text: unit.name }
    return lineOf(language, 'why.evidence.activeUnit', {}, { sign: 'yes', link: unitLink, note: unit.msn })
  })
  return {
    sentence: t('why.merchantHere.title', { name }),
    text: t('why.merchantHere.text', { identifier: identifierText({ scheme, id }) }),
    evidence: [...units, ...orderLines(question, { scheme, id }, orderCount)],
    steps: [lineOf(language, 'why.steps.open', {}, { link })],
  }
}

function foreignAnswer({ language, organisation }: Question, { identifier }: Known): Answer {
  const { t } = language
  return {
    sentence: t('why.merchantForeign.title', { organisation: organisation.name }),
    text: t('why.merchantForeign.text', { identifier: identifierText(identifier) }),
    evidence: [lineOf(language, 'why.evidence.notHere', { organisation: organisation.name }, { sign: 'no' })],
    steps: [lineOf(language, 'why.steps.chooseOther', {}, { link: { href: '/select?all', text: t('select.title') } })],
  }
}

function absentAnswer(question: Question, known: Known, look: Look | undefined): Answer {
  const { language } = question
  const { t, format } = language
  const { identifier, name = identifierText(identifier), removed } = known
  const [last] = removed
  const at = last?.removedAt ? format.moment(last.removedAt) : undefined
  const isPresent = look?.said === 'present'
  const key = isPresent
    ? 'merchantNoUnits'
    : at
      ? 'merchantGone'
      : isUnasked(look)
        ? 'merchantUnasked'
        : 'merchantAbsent'
  return {
    sentence: t(`why.${key}.title`, { name, at }),
    text: t(`why.${key}.text`),
    reasons: reasonsOf(question, 'merchantNotShared'),
    evidence: [
      lineOf(language, 'why.evidence.noUnits', {}, { sign: 'no', note: unitsNote(question) }),
      ...removed.slice(0, mostUnits).map((trace) => removedUnitLine(question, trace)),
      ...lookLines(question, look),
      ...orderLines(question, identifier, known.orderCount),
    ],
    steps: [
      ...againSteps(question, `${identifier.scheme}:${identifier.id}`, look),
      lineOf(language, 'why.steps.askUnits'),
      lineOf(language, 'why.steps.askNamed'),
      lineOf(language, 'why.steps.send', {}, { copies: true }),
    ],
  }
}

/** When the list was read, and how many sales units are still without their merchant. */
function unitsNote(question: Question): string {
  const { t, format } = question.language
  const { done = null, total = null } = question.lists.get('salesUnits') ?? {}
  const note = listNote(question, 'salesUnits')
  if (total === null || done === null || done >= total) return note
  return `${note} · ${t('fresh.progress', { done: format.number(done), total: format.number(total) })}`
}

function removedUnitLine({ language, base }: Question, { key, name, removedAt }: Trace): Line {
  const link = { href: `${base}/why?q=${key}`, text: name ?? key }
  const at = removedAt ? language.format.moment(removedAt) : ''
  return lineOf(language, 'why.evidence.unitUntil', { at }, { sign: 'no', link, note: key })
}

/** The number of orders that name the organisation, as the list behind the link of `orderLines` counts them. */
async function countOrders({ db, organisation }: Question, { scheme, id }: Identifier): Promise<number> {
  if (organisation.kind !== 'partner') return 0
  const filter = { ...everyOrder, merchant: merchantKey({ scheme, id }) }
  const sort = { column: 'urgency', descending: false } as const
  return (await findProductOrders(db, organisation, filter, { page: 1, size: pageSizes[0], sort })).total
}

function orderLines(question: Question, { scheme, id }: Identifier, count: number): Line[] {
  const { organisation, language, base } = question
  if (organisation.kind !== 'partner') return []
  const note = listNote(question, 'productOrders')
  if (count === 0) return [lineOf(language, 'why.evidence.noOrders', {}, { sign: 'none', note })]
  const query = new URLSearchParams({ merchant: merchantKey({ scheme, id }) })
  const text = language.t('why.evidence.orderCount', { count })
  const link = { href: `${base}/product-orders?${query.toString()}`, text }
  return [lineOf(language, 'why.evidence.orders', {}, { sign: 'yes', link, note })]
}
