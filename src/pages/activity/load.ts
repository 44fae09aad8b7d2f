import type { Request, Response } from 'express'
import { z } from 'zod'
import { orderStatuses } from '../../domain/product-order.ts'
import { pageSizes } from '../../domain/paging.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Format } from '../../presentation/format.ts'
import { changeKinds, type ChangeFilter, type ChangeSearch, type Position } from '../../store/activity.ts'
import { seesDevelopers } from '../history.ts'
import { choice, parseQuery, searchText } from '../lists/query.ts'
import { actingAs } from '../request-state.ts'

/** The changes of a resource are counted up to this; above it the page shows "3,000+". */
export const mostCounted = 3000

/** The groups of a page without `?size=`. */
export const activitySize = 50

/** The query of the activity: filters, and the place of the page. */
export type ActivityQuery = {
  readonly filter: Readonly<Record<'q' | 'resource' | 'kind' | 'status' | 'from' | 'until' | 'since' | 'group', string>>
  readonly size: (typeof pageSizes)[number]
  readonly before: Position | undefined
  readonly after: Position | undefined
}

const partnerResources = ['productOrder', 'salesUnit', 'merchant', 'pricePackage', 'template']
const merchantResources = ['salesUnit', 'merchant']

/** The resources of which the user may see changes; webhooks are for developers. */
export function resourcesFor({ kind }: Organisation, isDeveloper: boolean): readonly string[] {
  return [...(kind === 'partner' ? partnerResources : merchantResources), ...(isDeveloper ? ['webhook'] : [])]
}

const position = z
  .string()
  .regex(/^(\d{1,14}_-?\d{1,10}_\d{1,18})?$/)
  .default('')
  .transform(positionOf)
const day = z.union([z.literal(''), z.iso.date()]).default('')

/** Parses the query of the activity. @throws BadRequestError for an invalid one */
export function activityQuery(req: Request, res: Response): ActivityQuery {
  const resources = resourcesFor(actingAs(res), seesDevelopers(res))
  const { before, after, size, ...filter } = parseQuery(
    z.object({
      q: searchText,
      resource: choice(resources),
      kind: choice(changeKinds),
      status: choice(orderStatuses),
      from: day,
      until: day,
      since: z.union([z.literal(''), z.iso.datetime()]).default(''),
      group: z
        .string()
        .regex(/^(\d{1,14}_-?\d{1,10})?$/)
        .default(''),
      before: position,
      after: position,
      size: choice(pageSizes.map(String)),
    }),
    req,
  )
  return { filter, size: pageSizes.find((some) => String(some) === size) ?? activitySize, before, after }
}

/** The filter of the store for a query. */
export function changeFilter(res: Response, { filter }: Pick<ActivityQuery, 'filter'>): ChangeFilter {
  const isDeveloper = seesDevelopers(res)
  const { q, resource, kind, status, from, until, since, group } = filter
  const { format } = res.locals.language
  const all = resourcesFor(actingAs(res), isDeveloper)
  return {
    resources: resource === '' ? all : [resource],
    kind: changeKinds.find((one) => one === kind) ?? '',
    status,
    q,
    from: from === '' ? undefined : startOfDay(from, format),
    since: since === '' ? undefined : new Date(since),
    before: until === '' ? undefined : startOfDay(nextDay(until), format),
    group: group === '' ? undefined : positionOf(`${group}_0`),
    isForViewer: !isDeveloper,
  }
}

/** The part of a search that is on one day. */
export function onDay(search: ChangeSearch, isoDay: string, format: Format): ChangeSearch {
  const { from = new Date(0), before = new Date(8.64e15) } = search.filter
  const [start, end] = [startOfDay(isoDay, format), startOfDay(nextDay(isoDay), format)]
  return {
    ...search,
    filter: { ...search.filter, from: start > from ? start : from, before: end < before ? end : before },
  }
}

/** The beginning of a day as the page shows it: the first full hour of that date. */
function startOfDay(isoDay: string, format: Format): Date {
  const hours = Array.from({ length: 29 }, (_, hour) => new Date(Date.parse(isoDay) + (hour - 14) * 3_600_000))
  return hours.find((hour) => format.isoDay(hour) === isoDay) ?? new Date(isoDay)
}

function nextDay(isoDay: string): string {
  return new Date(Date.parse(isoDay) + 86_400_000).toISOString().slice(0, 10)
}

/** A position as the query has it, `moment_alike_id`; a group's has no id. */
export function positionText({ moment, alike, id }: Position): string {
  return [moment.getTime(), alike, id].join('_')
}

function positionOf(text: string): Position | undefined {
  const [moment, alike, id] = text.split('_')
  return moment === undefined || alike === undefined || id === undefined
    ? undefined
    : { moment: new Date(Number(moment)), alike: Number(alike), id }
}
