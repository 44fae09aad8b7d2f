import type { ListResource, Resource } from '../store/sync-state.ts'

/** An organisation key as command-line arguments: `partner 12345`. */
export function inWords(key: string): string {
  return key.replaceAll('/', ' ')
}

/** The names of the synced resources, as on the pages. */
export const resourceWords: Readonly<Record<Resource, string>> = {
  salesUnits: 'list of sales units',
  productOrders: 'list of product orders',
  pricePackages: 'list of price packages',
  templates: 'list of product order templates',
  webhooks: 'list of webhooks',
  salesUnit: 'sales units',
  merchant: 'merchants',
  productOrder: 'product orders',
  salesUnitWebhooks: 'webhooks of sales units',
}

const listNames: ReadonlySet<Resource> = new Set<ListResource>([
  'salesUnits',
  'productOrders',
  'pricePackages',
  'templates',
  'webhooks',
])

/** True for resources that are read whole, in one call. */
export function isList(resource: Resource): boolean {
  return listNames.has(resource)
}

const order = Object.keys(resourceWords)

/** Compares for sorting: by organisation, and in each the lists first. */
export function byOrganisation(
  one: { readonly organisation: string; readonly resource: Resource },
  other: { readonly organisation: string; readonly resource: Resource },
): number {
  return (
    one.organisation.localeCompare(other.organisation) || order.indexOf(one.resource) - order.indexOf(other.resource)
  )
}

/** A count with spaced thousands: `100 000`. */
export function inDigits(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
}

/** A count with its noun: `1 sales unit`, `1 200 sales units`. @param plural a noun with a plural in s */
export function counted(count: number, plural: string): string {
  return `${inDigits(count)} ${count === 1 ? plural.replace(/s$/, '') : plural}`
}

/** Counts with their nouns, without those that are 0: `2 grants, 1 session`. @param counts by plural noun */
export function listed(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).flatMap(([noun, count]) => (count === 0 ? [] : [counted(count, noun)]))
  return parts.join(', ') || 'nothing'
}

const units: readonly (readonly [seconds: number, word: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
]

/** A rounded duration: `3 h`, or `12 s`. */
export function inTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [size, word] = units.find(([unit]) => whole >= 2 * unit) ?? [1, 's']
  return `${Math.floor(whole / size)} ${word}`
}

/** The reasons for sync failures, with what the API said. */
export function failureInWords({ failing, refused, limited, said }: Failures): string {
  const reasons = [
    ...(refused > 0 ? ['refused the credentials'] : []),
    ...(limited > 0 ? ['asked to wait'] : []),
    ...(refused + limited < failing ? ['did not answer'] : []),
  ]
  const words = `the API ${reasons.join(', or ')}`
  return said === null ? words : `${words} (${said})`
}

type Failures = {
  readonly failing: number
  readonly refused: number
  readonly limited: number
  readonly said: string | null
}
