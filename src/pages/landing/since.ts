import type { Response } from 'express'
import { type ChangeFilter, countChanges, searchChanges } from '../../store/activity.ts'
import { lastVisit } from '../../store/visits.ts'
import { mostCounted } from '../activity/load.ts'
import type { PageDeps } from '../deps.ts'
import { seesDevelopers } from '../history.ts'
import { actingAs } from '../request-state.ts'

/** What changed since the user's last visit: numbers with links to exactly those changes. */
export type Since = {
  readonly at: Date
  readonly numbers: readonly {
    readonly key: string
    readonly count: number
    readonly shown: string
    readonly path: string
  }[]
}

type Kind = Pick<ChangeFilter, 'kind' | 'status'> & { readonly key: string; readonly resource: string }

const salesUnits: readonly Kind[] = [
  { key: 'added', resource: 'salesUnit', kind: 'added', status: '' },
  { key: 'removed', resource: 'salesUnit', kind: 'removed', status: '' },
]
const ofPartner: readonly Kind[] = [
  { key: 'submitted', resource: 'productOrder', kind: '', status: 'ORDER_SUBMITTED' },
  { key: 'completed', resource: 'productOrder', kind: '', status: 'COMPLETED' },
  { key: 'rejected', resource: 'productOrder', kind: '', status: 'REJECTED' },
  ...salesUnits,
  { key: 'prices', resource: 'pricePackage', kind: 'changed', status: '' },
]
const ofMerchant: readonly Kind[] = [
  ...salesUnits,
  { key: 'returned', resource: 'salesUnit', kind: 'returned', status: '' },
  { key: 'changed', resource: 'salesUnit', kind: 'changed', status: '' },
]

/** The numbers for Home; undefined at the first visit. Those without changes are left out. */
export async function sinceLastVisit(
  { database: { pages: db } }: Pick<PageDeps, 'database'>,
  res: Response,
  userId: string,
): Promise<Since | undefined> {
  const organisation = actingAs(res)
  const at = await lastVisit(db, organisation, userId)
  if (!at) return undefined
  const isForViewer = !seesDevelopers(res)
  const numbers = (organisation.kind === 'partner' ? ofPartner : ofMerchant).map(
    async ({ key, resource, kind, status }) => {
      const base = { q: '', from: undefined, before: undefined, since: at, group: undefined, isForViewer }
      const search = await searchChanges(db, organisation, { ...base, resources: [resource], kind, status })
      const { count = 0, more = false } = (await countChanges(search, mostCounted)).get(resource) ?? {}
      const query = Object.entries({ resource, kind, status, since: at.toISOString() }).filter(
        ([, value]) => value !== '',
      )
      const shown = `${res.locals.language.format.number(count)}${more ? '+' : ''}`
      return { key, count, shown, path: `activity?${new URLSearchParams(query).toString()}` }
    },
  )
  return { at, numbers: (await Promise.all(numbers)).filter(({ count }) => count > 0) }
}
