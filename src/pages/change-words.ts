import { identifierText } from '../domain/business-identifier.ts'
import type { Language } from '../presentation/language.ts'
import { accountText } from '../presentation/national.ts'
import { plain } from '../presentation/plain.ts'
import type { Change } from '../store/changes.ts'
import { orderState } from './product-orders/order.ts'
import { eventLabelOf } from './webhooks/list.ts'

/** A changed field in the user's words; the empty text for nothing. */
export type ChangedField = {
  /** The status of a product order, which some sentences name. */
  readonly isOrderStatus: boolean
  readonly name: string
  /** The field as the subject of a sentence, such as "The business address". */
  readonly subject: string
  readonly before: string
  readonly after: string
}

/**
 * The changed fields of a change in the user's words, never as JSON, without those whose words are the same. Parts of an
 * address are one field. A member that the portal does not know has its own name.
 * @param productOrderType of a product order: it decides what a received one is called
 */
export function fieldsInWords(
  { resource, fields }: Pick<Change, 'resource' | 'fields'>,
  language: Language,
  productOrderType?: string | null,
): ChangedField[] {
  const named = Object.entries(fields).map(([path, values]) => {
    const isOrderStatus = resource === 'productOrder' && path === 'status'
    const shown = values.map((value) =>
      isOrderStatus && typeof value === 'string' ? orderState(value, productOrderType) : value,
    )
    return {
      path,
      isOrderStatus,
      ...nameOf(path, resource, language),
      values: shown.map((value) => valueInWords(value, path, resource, language)),
    }
  })
  return [...Map.groupBy(named, ({ name }) => name)].flatMap(([name, parts]) => {
    const { subject = name, isOrderStatus = false } = parts[0] ?? {}
    const [before = '', after = ''] = [0, 1].map((at) =>
      joined(parts.map(({ path, values }) => [path, values[at] ?? ''])),
    )
    return before === after ? [] : [{ name, subject, isOrderStatus, before, after }]
  })
}

function nameOf(path: string, resource: string, { t, has, label }: Language): Pick<ChangedField, 'name' | 'subject'> {
  if (has(`${path}.name`)) {
    const name = t(`${path}.name`)
    return { name, subject: t('history.setting', { name }) }
  }
  // Parts of an address have the name of the address.
  const member = path.replace(/^(business(?:Post)?Address)\..*/, '$1')
  const key = names[`${resource}.${member}`] ?? names[member]
  if (key === undefined) return { name: path, subject: path }
  const name = t(key)
  return { name, subject: label(`history.subjects.${key.split('.').at(-1)}`, name) }
}

/** Messages that name a member of the API's records; `resource.path` where the same member means something else. */
const names: Readonly<Record<string, string>> = {
  name: 'salesUnits.name',
  msn: 'salesUnits.msn',
  status: 'productOrders.status',
  businessIdentifier: 'salesUnits.identifier',
  'businessIdentifier.id': 'salesUnits.identifier',
  'businessIdentifier.scheme': 'exports.scheme',
  settlementBankAccount: 'salesUnit.settlement',
  'settlementBankAccount.id': 'salesUnit.settlement',
  'settlementBankAccount.scheme': 'exports.scheme',
  salesUnit: 'productOrders.salesUnit',
  'productOrder.salesUnit.name': 'productOrders.salesUnit',
  'productOrder.salesUnit.msn': 'salesUnits.msn',
  productOrderType: 'productOrders.type',
  productType: 'lists.product',
  productOrderUrl: 'productOrder.prefillLink',
  createdAt: 'merchant.createdAt',
  updatedAt: 'merchant.updatedAt',
  countryCode: 'merchant.country',
  businessAddress: 'merchant.businessAddress',
  businessPostAddress: 'merchant.postAddress',
  description: 'pricePackages.price',
  commission: 'pricePackages.commission',
  market: 'pricePackages.market',
  visibleInSignupForm: 'pricePackages.visible',
  pricePackageId: 'templates.pricePackage',
  lockedFields: 'templates.lockedFields',
  'template.createdAt': 'templates.createdAt',
  'template.url': 'templates.link',
  url: 'webhooks.url',
  events: 'webhooks.events',
}

/** The value of a member; the empty text for nothing. */
function valueInWords(value: unknown, path: string, resource: string, language: Language): string {
  const { t, label, labelOfCode, format } = language
  const member = path.split('.').at(-1) ?? ''
  if (typeof value === 'boolean') return t(value ? 'common.yes' : 'common.no')
  if (Array.isArray(value)) {
    const eventLabel = eventLabelOf(language)
    const itemLabel = (item: string): string => {
      if (member === 'events') return eventLabel(item) || item
      return member === 'lockedFields' ? label(`templates.field.${item}`, item) : item
    }
    const items = value.map((item) => itemLabel(valueInWords(item, path, resource, language)))
    return items.filter((item) => item !== '').join(', ')
  }
  if (typeof value === 'object' && value !== null) return objectInWords(value, path, resource, language)
  const text = plain(value)
  const group = resource === 'merchant' && member === 'status' ? 'merchantStatus.*' : groups[member]
  if (group !== undefined)
    return labelOfCode(
      group.replace('*', () => text),
      text,
    )
  if (member === 'countryCode' || member === 'market') return text && format.country(text)
  return member === 'createdAt' || member === 'updatedAt' ? format.date(text) : text
}

/** Messages of the values of a member; `*` is the value. */
const groups: Readonly<Record<string, string>> = {
  status: 'orderStatus.*.name',
  productType: 'productType.*',
  productOrderType: 'orderType.*',
  captureType: 'captureTypes.*',
}

/** A known object by its members alone; any other as "member: value". */
function objectInWords(value: object, path: string, resource: string, language: Language): string {
  if (path === 'businessIdentifier') {
    const { scheme, id } = value as { scheme?: unknown; id?: unknown }
    return identifierText({ scheme: plain(scheme), id: plain(id) })
  }
  if (path === 'settlementBankAccount') {
    const { scheme, id } = value as { scheme?: unknown; id?: unknown }
    return accountText({ scheme: plain(scheme), id: plain(id) })
  }
  const texts = Object.entries(value).map(
    ([name, member]) => [name, valueInWords(member, `${path}.${name}`, resource, language)] as const,
  )
  const isKnown = /^(salesUnit|business(Post)?Address)$/.test(path)
  return joined(texts.map(([name, text]) => [name, isKnown || text === '' ? text : `${name}: ${text}`]))
}

/** Texts by path as one, those of an address as people write it: the database does not keep the order of members. */
function joined(parts: readonly (readonly [path: string, text: string])[]): string {
  const place = (path: string): number => addressMembers.indexOf(path.split('.').at(-1) ?? '')
  return parts
    .filter(([, text]) => text !== '')
    .toSorted(([a], [b]) => place(a) - place(b))
    .map(([path, text], at, { length }) => text + (at === length - 1 ? '' : path.endsWith('postCode') ? ' ' : ', '))
    .join('')
}

const addressMembers = ['lines', 'postCode', 'city', 'countryCode']
