import { organisationKey } from '../../domain/organisation.ts'
import { covers } from '../../domain/role.ts'
import type { RecordTable } from '../../store/records.ts'
import { findByLink, findTraces, type Trace } from '../../store/traces.ts'
import { againSteps, type Answer, type Case, isUnasked, lineOf, listNote, lookLines, type Question } from './answer.ts'
import { elsewhereAnswer, elsewhereOf } from './elsewhere.ts'
import type { Look } from './live-look.ts'
import { reasonsOf } from './sales-unit.ts'

type Table = Exclude<RecordTable, 'sales_units' | 'merchants'>

/** Where the records of a table are listed, with the message of the menu. */
const lists: Readonly<Record<Table, { readonly menu: string; readonly path: (id: string) => string }>> = {
  product_orders: { menu: 'productOrders', path: (id) => `product-orders/${id}` },
  templates: { menu: 'templates', path: (id) => `templates?q=${encodeURIComponent(id)}` },
  price_packages: { menu: 'pricePackages', path: (id) => `price-packages?q=${encodeURIComponent(id)}` },
  webhooks: { menu: 'webhooks', path: (id) => `developers/webhooks?q=${encodeURIComponent(id)}` },
}

const tables: readonly Table[] = ['product_orders', 'templates', 'price_packages', 'webhooks']
const tablesWithLinks = ['product_orders', 'templates'] as const

type Found = { readonly table: Table; readonly trace: Trace; readonly id: string }

/** What is known of an ID, or of the link of an order. */
export async function recordCase(question: Question, id: string, url: string | undefined): Promise<Case> {
  const { organisation } = question
  const found = await findAll(question, id, url)
  const own = found.filter(({ trace }) => trace.organisation === organisationKey(organisation))
  const here = own.find(({ trace }) => !trace.removedAt)
  if (here) return { known: 'here', answer: async () => hereAnswer(question, here) }
  for (const { table, trace, id: there } of found) {
    const elsewhere = elsewhereOf(question, [trace])
    if (!elsewhere) continue
    const what = { key: 'recordElsewhere', values: {}, path: lists[table].path(there) }
    return { known: 'elsewhere', answer: async () => elsewhereAnswer(question, elsewhere, what) }
  }
  const [gone] = own
  const isAsked = organisation.kind === 'partner' && id !== '' && (!gone || gone.table === 'product_orders')
  const wanted = isAsked
    ? ({ resource: 'productOrder', key: id, since: gone?.trace.removedAt ?? undefined } as const)
    : undefined
  if (gone) return { known: 'seen', wanted, answer: async (look) => goneAnswer(question, gone, look) }
  return { known: 'never', wanted, answer: async (look) => absentAnswer(question, id, look) }
}

/** Records of this organisation and of the user's others; webhooks only where the user sees Developers. */
async function findAll({ db, organisation, others, seesDevelopers }: Question, id: string, url: string | undefined) {
  const all = [organisation, ...others.map((other) => other.organisation)]
  const withDevelopers = [
    ...(seesDevelopers ? [organisation] : []),
    ...others.filter(({ role }) => covers(role, 'developer')).map((other) => other.organisation),
  ]
  const found: Found[] = []
  for (const table of id === '' ? [] : tables) {
    const traces = await findTraces(db, table === 'webhooks' ? withDevelopers : all, table, [id])
    found.push(...traces.map((trace) => ({ table, trace, id })))
  }
  if (url === undefined) return found
  for (const table of tablesWithLinks) {
    const traces = await findByLink(db, all, table, url)
    found.push(...traces.map((trace) => ({ table, trace, id: trace.key })))
  }
  return found
}

function hereAnswer(question: Question, { table, trace, id }: Found): Answer {
  const { language, base } = question
  const { t, format } = language
  const list = t(`menu.${lists[table].menu}`)
  const link = { href: `${base}/${lists[table].path(id)}`, text: trace.name ?? id }
  const note = listNote(question, lists[table].menu)
  return {
    sentence: t('why.recordHere.title', { list }),
    text: t('why.recordHere.text', { id }),
    evidence: [
      lineOf(language, 'why.evidence.inList', { list }, { sign: 'yes', note }),
      lineOf(language, 'why.evidence.firstSeen', { at: format.longDay(trace.firstSeenAt) }, { sign: 'yes' }),
    ],
    steps: [lineOf(language, 'why.steps.open', {}, { link })],
  }
}

function goneAnswer(question: Question, { table, trace }: Found, look: Look | undefined): Answer {
  const { language } = question
  const { t, format } = language
  const list = t(`menu.${lists[table].menu}`)
  const at = trace.removedAt ? format.moment(trace.removedAt) : ''
  const note = listNote(question, lists[table].menu)
  const values = { name: trace.name ?? trace.key, at: format.longDay(trace.firstSeenAt) }
  const noticed =
    trace.removedBy === 'details'
      ? lineOf(language, 'why.evidence.left404', { at }, { sign: 'no' })
      : lineOf(language, 'why.evidence.leftOtherList', { at, list }, { sign: 'no', note })
  return {
    sentence: t('why.recordGone.title', { list, at }),
    text: t('why.recordGone.text'),
    evidence: [
      lineOf(language, 'why.evidence.wasYours', values, { sign: 'yes' }),
      noticed,
      ...lookLines(question, look),
    ],
    steps: [lineOf(language, 'why.steps.send', {}, { copies: true }), ...againSteps(question, trace.key, look)],
  }
}

function absentAnswer(question: Question, id: string, look: Look | undefined): Answer {
  const { language, organisation } = question
  const { t } = language
  if (organisation.kind === 'merchant')
    return {
      sentence: t('why.recordForeign.title'),
      text: t('why.recordForeign.text'),
      evidence: [lineOf(language, 'why.evidence.neverSeen', {}, { sign: 'no' })],
      steps: [
        lineOf(language, 'why.steps.chooseOther', {}, { link: { href: '/select?all', text: t('select.title') } }),
      ],
    }
  const key = id === '' ? 'linkAbsent' : isUnasked(look) ? 'orderUnasked' : 'orderAbsent'
  const note = listNote(question, 'productOrders')
  return {
    sentence: t(`why.${key}.title`),
    text: t(`why.${key}.text`, { id }),
    reasons: reasonsOf(question, 'productOrderNotShared'),
    evidence: [
      lineOf(language, id === '' ? 'why.evidence.noLink' : 'why.evidence.noOrder', {}, { sign: 'no', note }),
      lineOf(language, 'why.evidence.noOther', {}, { sign: 'no' }),
      ...lookLines(question, look),
    ],
    steps: [
      ...againSteps(question, id, look),
      lineOf(language, 'why.steps.askOrder'),
      lineOf(
        language,
        'why.steps.orderAgain',
        {},
        {
          link: { href: `${question.base}/templates`, text: t('menu.templates') },
        },
      ),
    ],
  }
}

/** An ID with a wrong number of characters. */
export function malformedIdCase(question: Question, id: string): Case {
  const { language } = question
  const values = { length: id.length }
  return {
    known: 'wrong',
    answer: async () => ({
      sentence: language.t('why.wrongId.title', values),
      text: language.t('why.wrongId.text'),
      evidence: [lineOf(language, 'why.evidence.wrongId', { id }, { sign: 'no' })],
      steps: [lineOf(language, 'why.steps.copyId')],
    }),
  }
}
