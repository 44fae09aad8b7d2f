import { configurationSwitches } from '../management-api/sales-units.ts'
import type { Change } from '../store/changes.ts'

const identifier = ['businessIdentifier.scheme', 'businessIdentifier.id']
const addresses = ['businessAddress', 'businessPostAddress'].flatMap((address) =>
  ['lines', 'postCode', 'city', 'countryCode'].map((member) => `${address}.${member}`),
)

/**
 * The members of the API's records that a viewer sees in the history: those that the portal knows, without account
 * numbers. The API may send anything in a member that is new. A resource that is missing here, such as webhooks, is for
 * developers only.
 */
const known: Readonly<Record<string, ReadonlySet<string>>> = {
  salesUnit: new Set([
    'msn',
    'name',
    ...identifier,
    'configuration.captureType',
    ...configurationSwitches.map((name) => `configuration.${name}`),
  ]),
  productOrder: new Set([
    'productOrderId',
    'productOrderType',
    'productType',
    'status',
    ...identifier,
    'productOrderUrl',
    'salesUnit.msn',
    'salesUnit.name',
  ]),
  merchant: new Set(['name', 'status', 'createdAt', 'updatedAt', 'countryCode', ...identifier, ...addresses]),
  pricePackage: new Set([
    'pricePackageId',
    'name',
    'description',
    'visibleInSignupForm',
    'productType',
    'market',
    'commission',
  ]),
  template: new Set(['templateId', 'name', 'url', 'productType', 'pricePackageId', 'lockedFields', 'createdAt']),
}

/** The change with the members that a viewer may see; undefined when there is nothing in it for a viewer. */
export function forViewers<Some extends Pick<Change, 'resource' | 'kind' | 'fields'>>(change: Some): Some | undefined {
  const members = known[change.resource]
  if (!members) return undefined
  const fields = Object.entries(change.fields).flatMap(([path, [before, after]]) => {
    const shown = [knownIn(before, path, members), knownIn(after, path, members)] as const
    return shown.every((value) => value === null) ? [] : [[path, shown] as const]
  })
  return change.kind === 'changed' && fields.length === 0
    ? undefined
    : { ...change, fields: Object.fromEntries(fields) }
}

/** The value without members that are not known; of a list its texts; null when nothing is left. */
function knownIn(value: unknown, path: string, members: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return members.has(path) ? value.filter((item) => typeof item === 'string') : null
  if (typeof value !== 'object' || value === null) return members.has(path) ? value : null
  const shown = Object.entries(value).flatMap(([name, member]) => {
    const kept = knownIn(member, `${path}.${name}`, members)
    return kept === null ? [] : [[name, kept] as const]
  })
  return shown.length === 0 ? null : Object.fromEntries(shown)
}
