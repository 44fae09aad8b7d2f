import { identifierText } from '../../domain/business-identifier.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { type Language, messageParts } from '../../presentation/language.ts'
import type { ChangeGroup, StoredChange } from '../../store/activity.ts'
import type { ThingName } from '../../store/things.ts'
import { type ChangedField, fieldsInWords } from '../change-words.ts'

/** The record of a change as an entry names it: a link when it has a page or row, and its ID where people know it by. */
export type NamedThing = { readonly text: string; readonly path: string | undefined; readonly id: string | undefined }

/** A change, or a group of changes that are alike, in the user's words. */
export type Entry = {
  readonly resource: string
  readonly moment: Date
  /** A sentence: the texts before and after the thing; of a group, all of it. */
  readonly words: readonly [string, string]
  readonly thing: NamedThing | undefined
  readonly fields: readonly ChangedField[]
  /** The first changes of a group, and how many there are. */
  readonly parts: readonly { readonly thing: NamedThing; readonly fields: readonly ChangedField[] }[]
  readonly count: number
  /** The query that opens the whole group. */
  readonly group: string
}

/** What entries are written with: the language, and the names of the records by `resource key`. */
export type EntryContext = {
  readonly language: Language
  readonly organisation: Organisation
  readonly names: ReadonlyMap<string, ThingName>
}

/** The entry of a group; undefined when it has no change that can be shown. */
export function entryOf({ position, count, changes }: ChangeGroup, context: EntryContext): Entry | undefined {
  const [first] = changes
  if (!first) return undefined
  const { resource, moment } = first
  const parts = changes.map((change) => ({
    thing: thingOf(change, context),
    fields: fieldsOf(change, context),
  }))
  const group = `${moment.getTime()}_${position.alike}`
  const base = { resource, moment, count, group }
  const [one] = parts
  if (count === 1 && one) return { ...base, words: wordsOf(first, context.language), ...one, parts: [] }
  return { ...base, words: [manyOf(first, count, changes, context), ''], thing: undefined, fields: [], parts }
}

/** The changed fields; a status that the sentence says has no name. */
function fieldsOf(change: StoredChange, { language, names }: EntryContext): ChangedField[] {
  const fields = fieldsInWords(change, language, names.get(nameKey(change))?.productOrderType)
  return fields.map((field) => (field.isOrderStatus && change.status !== '' ? { ...field, name: '' } : field))
}

/** The texts before and after the thing in the sentence about one change. */
function wordsOf({ kind, status }: StoredChange, { t }: Language): [string, string] {
  const key = kind === 'changed' && status !== '' ? `activity.reached.${status}` : `activity.one.${kind}`
  const [before, , after] = messageParts(t, key, { thing: '' })
  return [before?.text ?? '', after?.text ?? '']
}

/** The sentence about a group, with the merchant when all of it is of one. */
function manyOf(
  { resource, kind, status }: StoredChange,
  count: number,
  changes: readonly StoredChange[],
  { language: { t, format }, names }: EntryContext,
): string {
  const key =
    kind === 'changed' && status !== '' ? `activity.manyReached.${status}` : `activity.many.${resource}.${kind}`
  const what = t(key, { shown: format.number(count) })
  const merchants = new Set(changes.map((change) => names.get(nameKey(change))?.merchantName ?? ''))
  const [merchant = ''] = merchants
  const isOfOne = merchants.size === 1 && merchant !== '' && count === changes.length
  return isOfOne ? t('activity.ofMerchant', { what, merchant }) : what
}

/** What names the record of a change, and where it is shown. */
export function thingOf(change: Pick<StoredChange, 'resource' | 'key'>, context: EntryContext): NamedThing {
  const { resource, key } = change
  const known = context.names.get(nameKey(change))
  const thing = { text: known?.name ?? key, path: undefined, id: undefined }
  const inList = (path: string, id = key): NamedThing =>
    known && !known.isRemoved ? { ...thing, path: `${path}?q=${encodeURIComponent(id)}` } : thing
  switch (resource) {
    case 'salesUnit':
      return { ...thing, path: `sales-units/${encodeURIComponent(key)}`, id: known?.name ? key : undefined }
    case 'productOrder':
      return { ...thing, text: orderName(key, known, context.language), path: orderPath(key) }
    case 'merchant':
      return { ...thing, text: known?.name ?? merchantId(key), path: merchantPath(key, context.organisation) }
    case 'pricePackage':
      return inList('price-packages')
    case 'template':
      return inList('templates')
    case 'webhook':
      return inList('developers/webhooks', key.split('/')[1])
    default:
      return thing
  }
}

/** `resource key`, as the names are kept. */
export function nameKey({ resource, key }: Pick<StoredChange, 'resource' | 'key'>): string {
  return `${resource} ${key}`
}

/** "Cashier for Café Ørsta AS", as far as it is known. */
function orderName(key: string, known: ThingName | undefined, { t, label }: Language): string {
  const { productType = null, merchantName = null, scheme = null, businessId = null } = known ?? {}
  const id = scheme !== null && businessId !== null ? identifierText({ scheme, id: businessId }) : undefined
  const merchant = merchantName ?? id
  const product = productType === null ? undefined : label(`productType.${productType}`, productType)
  if (merchant !== undefined && product !== undefined) return t('activity.orderFor', { product, merchant })
  return merchant ?? product ?? key
}

/** An order without an ID of its own has no page. */
function orderPath(key: string): string | undefined {
  return key.startsWith('~') ? undefined : `product-orders/${encodeURIComponent(key)}`
}

function merchantId(key: string): string {
  const [scheme = '', id = ''] = key.split('/')
  return identifierText({ scheme, id })
}

function merchantPath(key: string, organisation: Organisation): string {
  const [scheme = '', id = ''] = key.split('/')
  return organisation.kind === 'merchant' ? 'details' : `merchants/${scheme}/${encodeURIComponent(id)}`
}
