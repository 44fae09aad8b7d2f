import type { Response } from 'express'
import { merchantKey } from '../domain/business-identifier.ts'
import { covers } from '../domain/role.ts'
import { httpUrl } from '../management-api/parse.ts'
import { type Language, type MessagePart, messageParts } from '../presentation/language.ts'
import { plain } from '../presentation/plain.ts'
import { type Change, changesOf, type NewChange } from '../store/changes.ts'
import { forViewers } from '../sync/viewer-members.ts'
import { type ChangedField, fieldsInWords } from './change-words.ts'
import type { PageDeps } from './deps.ts'
import { orderState, type ProductOrder } from './product-orders/order.ts'
import { actingAs } from './request-state.ts'

/** What the portal saw at one time, in sentences whose values the page emphasises. */
export type HistoryEntry = {
  readonly at: Date
  /** "Today, 08:14", or an earlier day with the time. */
  readonly when: string
  readonly sentences: readonly (readonly MessagePart[])[]
}

type SeenChange = Change & Pick<NewChange, 'status'>

/**
 * The history of one record, newest first: everything for developers, and known members only for viewers.
 * @param order the record, when it is a product order
 */
export async function historyOf(
  { database }: Pick<PageDeps, 'database'>,
  res: Response,
  resource: string,
  key: string,
  order?: ProductOrder,
): Promise<HistoryEntry[]> {
  const { language } = res.locals
  const find = async (of: string, id: string): Promise<SeenChange[]> => {
    const changes = await changesOf(database.pages, actingAs(res), of, id)
    return seesDevelopers(res) ? changes : changes.flatMap((change) => forViewers(change) ?? [])
  }
  const changes = await find(resource, key)
  const merchant = order?.businessIdentifier ? await find('merchant', merchantKey(order.businessIdentifier)) : []
  return [
    ...changes.map((change) => ({ at: change.at, sentences: sentencesOf(change, changes, language, order) })),
    ...(order ? merchantNamed(merchant, order, language) : []),
  ]
    .toSorted((a, b) => b.at.getTime() - a.at.getTime())
    .map((entry) => ({ ...entry, when: whenOf(entry.at, language) }))
}

function whenOf(at: Date, { format }: Language): string {
  return format.daysTo(at) === 0 ? format.recent(at) : format.shortMoment(at)
}

function sentencesOf(
  change: SeenChange,
  changes: readonly SeenChange[],
  language: Language,
  order: ProductOrder | undefined,
): MessagePart[][] {
  if (change.kind === 'added') return [firstSeen(change, changes, language, order)]
  const fields = fieldsInWords(change, language, order?.productOrderType)
  const sentences = fields.map((field) => fieldSentence(field, change, language))
  if (change.kind === 'changed' && sentences.length > 0) return sentences
  return [messageParts(language.t, `history.${change.kind}`), ...sentences]
}

/** The entry about a new record; of an order with its state and whether it had a link. */
function firstSeen(
  { status }: SeenChange,
  changes: readonly SeenChange[],
  { t }: Language,
  order: ProductOrder | undefined,
): MessagePart[] {
  if (!order || status === '') return messageParts(t, 'history.added')
  const url = httpUrl(atFirst(changes, 'productOrderUrl', order.productOrderUrl))
  const state = t(`orderStatus.${orderState(status, order.productOrderType)}.name`)
  return messageParts(t, url === undefined ? 'history.addedAs' : 'history.addedWithLink', { state })
}

/** A field as it was at first: before its oldest change, or as it is now. */
function atFirst(changes: readonly Change[], path: string, now: unknown): unknown {
  const oldest = changes.findLast(({ fields }) => path in fields)
  return oldest ? oldest.fields[path]?.[0] : now
}

function fieldSentence(
  { subject, before, after, isOrderStatus }: ChangedField,
  { fields }: Change,
  { t, has }: Language,
): MessagePart[] {
  if (before === '') return messageParts(t, 'history.known', { after }, { subject })
  if (after === '') return messageParts(t, 'history.gone', { before }, { subject })
  const reached = `history.reached.${plain(fields['status']?.[1])}`
  const key = isOrderStatus && has(reached) ? reached : 'history.changedTo'
  return messageParts(t, key, { before, after }, { subject })
}

/** An order has the name of its merchant from when the portal first sees the merchant, which may be later. */
function merchantNamed(merchant: readonly SeenChange[], order: ProductOrder, { t }: Language) {
  const added = merchant.find(({ kind }) => kind === 'added')
  const after = plain(atFirst(merchant, 'name', order.merchantName))
  if (!added || added.at <= order.firstSeenAt || after === '') return []
  const subject = t('history.subjects.merchantName')
  return [{ at: added.at, sentences: [messageParts(t, 'history.known', { after }, { subject })] }]
}

/** Whether the user sees everything of the organisation, webhooks and members that the portal does not know included. */
export function seesDevelopers({ locals: { role } }: Response): boolean {
  return role !== undefined && covers(role, 'developer')
}
