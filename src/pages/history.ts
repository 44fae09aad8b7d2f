import type { Response } from 'express'
import { covers } from '../domain/role.ts'
import { configurationSwitches } from '../management-api/sales-units.ts'
import { type Change, changesOf } from '../store/changes.ts'
import type { PageDeps } from './deps.ts'
import { actingAs } from './request-state.ts'

const identifier = ['businessIdentifier.scheme', 'businessIdentifier.id']

/**
 * The members of the API's records that a viewer sees in the history: those that the portal knows, without account
 * numbers. The API may send anything in a member that is new.
 */
const shownToViewers = {
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
  merchant: new Set([
    ...identifier,
    'name',
    'status',
    'createdAt',
    'updatedAt',
    'countryCode',
    ...['businessAddress', 'businessPostAddress'].flatMap((address) =>
      ['postCode', 'city', 'countryCode'].map((member) => `${address}.${member}`),
    ),
  ]),
}

/** The history of one record, newest first: everything for developers, and known members only for viewers. */
export async function historyOf(
  { database }: Pick<PageDeps, 'database'>,
  res: Response,
  resource: keyof typeof shownToViewers,
  key: string,
): Promise<Change[]> {
  const changes = await changesOf(database.pages, actingAs(res), resource, key)
  const { role } = res.locals
  if (role !== undefined && covers(role, 'developer')) return changes
  return changes.flatMap((change) => forViewers(change, shownToViewers[resource]))
}

/** The change with its known members only; none when nothing else changed. */
function forViewers(change: Change, known: ReadonlySet<string>): Change[] {
  const fields = Object.entries(change.fields).flatMap(([path, [before, after]]) => {
    const shown = [knownIn(before, path, known), knownIn(after, path, known)] as const
    return shown.every((value) => value === null) ? [] : [[path, shown] as const]
  })
  return change.kind === 'changed' && fields.length === 0 ? [] : [{ ...change, fields: Object.fromEntries(fields) }]
}

/** The value without members that are not known; null when nothing is left. */
function knownIn(value: unknown, path: string, known: ReadonlySet<string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return known.has(path) && !Array.isArray(value) ? value : null
  const members = Object.entries(value).flatMap(([name, member]) => {
    const shown = knownIn(member, `${path}.${name}`, known)
    return shown === null ? [] : [[name, shown] as const]
  })
  return members.length === 0 ? null : Object.fromEntries(members)
}
