import type { Response } from 'express'
import { type ChangeFilter, countChanges, everyChange, searchChanges } from '../../store/activity.ts'
import type { Handle } from '../../store/database.ts'
import { seesDevelopers } from '../history.ts'
import { actingAs } from '../request-state.ts'

/** Home counts up to so many changes of each kind, because it makes eight counts; Activity, behind the link, counts further. */
const mostCounted = 1000

/** A number of changes, and the path of exactly those; below the organisation's section. */
export type ChangeCount = { readonly count: number; readonly shown: string; readonly path: string }

/** What changed since the user's last visit. */
export type Since = { readonly at: Date; readonly numbers: readonly (ChangeCount & { readonly key: string })[] }

type Kind = Pick<ChangeFilter, 'kind' | 'status'>

const salesUnits = [
  { key: 'added', resource: 'salesUnit', kind: 'added', status: '' },
  { key: 'removed', resource: 'salesUnit', kind: 'removed', status: '' },
] as const
const ofPartner = [
  { key: 'submitted', resource: 'productOrder', kind: '', status: 'ORDER_SUBMITTED' },
  { key: 'completed', resource: 'productOrder', kind: '', status: 'COMPLETED' },
  { key: 'rejected', resource: 'productOrder', kind: '', status: 'REJECTED' },
  ...salesUnits,
  { key: 'prices', resource: 'pricePackage', kind: 'changed', status: '' },
] as const
const ofMerchant = [
  ...salesUnits,
  { key: 'returned', resource: 'salesUnit', kind: 'returned', status: '' },
  { key: 'changed', resource: 'salesUnit', kind: 'changed', status: '' },
] as const

/** The numbers for Home; undefined at the first visit. Those without changes are left out. */
export async function sinceLastVisit(db: Handle, res: Response, at: Date | undefined): Promise<Since | undefined> {
  if (!at) return undefined
  const numbers = []
  for (const { key, resource, ...kind } of actingAs(res).kind === 'partner' ? ofPartner : ofMerchant) {
    // One after the other: a page takes one connection at a time.
    const found = (await changesSince(db, res, at, [resource], kind)).get(resource)
    if (found) numbers.push({ key, ...found })
  }
  return { at, numbers }
}

/** The number of changes of each resource since a time; those without changes are left out. */
export async function changesSince(
  db: Handle,
  res: Response,
  since: Date,
  resources: readonly string[],
  { kind, status }: Kind,
): Promise<ReadonlyMap<string, ChangeCount>> {
  const filter = { ...everyChange, resources, kind, status, since, isForViewer: !seesDevelopers(res) }
  const search = searchChanges(db, actingAs(res), filter)
  const counts = await countChanges(search, mostCounted)
  const found = [...counts].filter(([, { count }]) => count > 0)
  return new Map(
    found.map(([resource, { count, more }]) => {
      const query = { resource, kind, status, since: since.toISOString() }
      const given = Object.entries(query).filter(([, value]) => value !== '')
      return [
        resource,
        {
          count,
          shown: `${res.locals.language.format.number(count)}${more ? '+' : ''}`,
          path: `activity?${new URLSearchParams(given).toString()}`,
        },
      ]
    }),
  )
}
