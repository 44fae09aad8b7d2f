import type { RequestHandler, Response } from 'express'
import type { Language } from '../../presentation/language.ts'
import {
  type ChangeCounts,
  type ChangeGroup,
  type ChangeSearch,
  type ChangesAsked,
  countChanges,
  findChanges,
  ofResources,
  searchChanges,
} from '../../store/activity.ts'
import { namesOf } from '../../store/things.ts'
import { lastVisit } from '../../store/visits.ts'
import { forViewers } from '../../sync/viewer-members.ts'
import type { PageDeps } from '../deps.ts'
import { seesDevelopers } from '../history.ts'
import { optionalList } from '../landing/partner.ts'
import { listView, type Tabs } from '../lists/list-view.ts'
import { actingAs, listsHere, signedIn } from '../request-state.ts'
import { type Entry, entryOf } from './entries.ts'
import { fieldsOf, pluralOf } from './fields.ts'
import {
  type ActivityQuery,
  activityQuery,
  activitySize,
  changeFilter,
  mostCounted,
  onDay,
  positionText,
  resourcesFor,
} from './load.ts'

/** `GET …/activity`: every change of the organisation, newest first, by day. */
export function showActivity({ database, freshness }: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  const db = database.pages
  return async (req, res) => {
    const organisation = actingAs(res)
    const query = activityQuery(req, res)
    const filter = changeFilter(res, query)
    const all = { ...filter, resources: resourcesFor(organisation, seesDevelopers(res)) }
    const everything = searchChanges(db, organisation, all)
    const search = query.filter.resource === '' ? everything : ofResources(everything, [query.filter.resource])
    const found = await pageOf((asked) => findChanges(search, asked), query)
    const counts = await countChanges(everything, mostCounted)
    const visit = await lastVisit(db, organisation, signedIn(req).id)
    const fresh = await optionalList(freshness, organisation, 'salesUnits', listsHere(res))
    const groups = visibleTo(res, found.groups)
    const context = {
      language: res.locals.language,
      organisation,
      names: await namesOf(
        db,
        organisation,
        groups.flatMap(({ changes }) => changes),
      ),
    }
    const entries = groups.flatMap((group) => entryOf(group, context) ?? [])
    const days = await counted(search, daysOf(res, entries, visit), found, res.locals.language)
    const path = `${req.baseUrl}/activity`
    const { t } = res.locals.language
    const list = viewOf(res, path, query, visit)
    const shown = { ...query.filter, size: query.size === activitySize ? '' : String(query.size) }
    const [newest, oldest] = [found.groups[0], found.groups.at(-1)]
    res.render('activity/page', {
      title: t('activity.title'),
      list,
      counts: countTexts(res, counts),
      ...summaryOf(res, query, counts),
      days,
      groupHref: (group: string) => `${path}${queryOf({ ...shown, group })}`,
      newer:
        found.hasNewer && newest ? `${path}${queryOf({ ...shown, after: positionText(newest.position) })}` : undefined,
      older:
        found.hasOlder && oldest ? `${path}${queryOf({ ...shown, before: positionText(oldest.position) })}` : undefined,
      from: query.filter.from,
      until: query.filter.until,
      fresh,
    })
  }
}

type Find = (asked: ChangesAsked) => Promise<ChangeGroup[]>

/** The groups of a page; of one group, each change by itself. A page beyond an end is the first page. */
async function pageOf(find: Find, { filter, size, before, after }: ActivityQuery) {
  const each = filter.group === '' ? 'group' : 'change'
  const limit = size + 1
  const asked = before || after ? await find({ each, limit, before, after }) : []
  const isFull = asked.length === limit
  if (after && isFull) return { groups: asked.slice(1), hasNewer: true, hasOlder: true }
  if (before && asked.length > 0) return { groups: asked.slice(0, size), hasNewer: true, hasOlder: isFull }
  const groups = await find({ each, limit })
  return { groups: groups.slice(0, size), hasNewer: false, hasOlder: groups.length === limit }
}

type Day = ReturnType<typeof daysOf>[number]

/** The days with their number of changes in words. Those that the page cuts off are counted in the store. */
async function counted(
  search: ChangeSearch,
  days: readonly Day[],
  { hasNewer, hasOlder }: { readonly hasNewer: boolean; readonly hasOlder: boolean },
  language: Language,
): Promise<(Day & { readonly changes: string })[]> {
  const all: (Day & { readonly changes: string })[] = []
  for (const [at, day] of days.entries()) {
    const isCutOff = (hasNewer && at === 0) || (hasOlder && at === days.length - 1)
    const counts = isCutOff
      ? [...(await countChanges(onDay(search, day.date, language.format), mostCounted)).values()]
      : day.entries
    all.push({ ...day, changes: language.t('activity.count', sumOf(counts, language)) })
  }
  return all
}

/** The groups as the user may see them: viewers see known members only. */
function visibleTo(res: Response, groups: readonly ChangeGroup[]): readonly ChangeGroup[] {
  if (seesDevelopers(res)) return groups
  return groups.map((group) => ({ ...group, changes: group.changes.flatMap((change) => forViewers(change) ?? []) }))
}

function viewOf(res: Response, path: string, query: ActivityQuery, visit: Date | undefined) {
  const { t } = res.locals.language
  const { filter, size } = query
  const fields = fieldsOf(res, query, visit)
  const resources = resourcesFor(actingAs(res), seesDevelopers(res))
  const page = { rows: [], total: 0, more: false, number: 1, hasNext: false, from: 0, to: 0 }
  const asked = { page: 1, size, sort: { column: 'time', descending: false } } as const
  const tabs: Tabs = {
    label: t('activity.record'),
    options: ['', ...resources].map((resource) => ({
      label: resource === '' ? t('common.all') : t(pluralOf(resource)),
      count: 0,
      filter: { resource },
    })),
  }
  const columns = [{ name: 'time', label: t('activity.time') }] as const
  const list = listView({ path, filter, asked, columns, preferredSize: activitySize, fields, tabs, page })
  return { ...list, fields: list.fields.filter(({ name }) => !['from', 'until', 'group'].includes(name)) }
}

/** The sum, and as shown: "40", or "more than 3,000" where more are not counted. */
function sumOf(counts: readonly { readonly count: number; readonly more?: boolean }[], { t, format }: Language) {
  const count = counts.reduce((sum, one) => sum + one.count, 0)
  const number = format.number(count)
  return { count, shown: counts.some(({ more }) => more) ? t('common.moreThan', { count: number }) : number }
}

/** The numbers of the tabs, all of them first: "61", or "3,000+" where more are not counted. */
function countTexts(res: Response, counts: ChangeCounts): readonly string[] {
  const { language } = res.locals
  const text = (of: Iterable<{ count: number; more: boolean }>): string => {
    const all = [...of]
    const sum = all.reduce((total, { count }) => total + count, 0)
    return `${language.format.number(sum)}${all.some(({ more }) => more) ? '+' : ''}`
  }
  const resources = resourcesFor(actingAs(res), seesDevelopers(res))
  return [
    text(counts.values()),
    ...resources.map((resource) => text([counts.get(resource) ?? { count: 0, more: false }])),
  ]
}

function summaryOf({ locals }: Response, { filter }: ActivityQuery, counts: ChangeCounts) {
  const { t } = locals.language
  const chosen = [...counts].filter(([resource]) => filter.resource === '' || filter.resource === resource)
  const { count, shown } = sumOf(
    chosen.map(([, one]) => one),
    locals.language,
  )
  const summary = t(`activity.${filter.q === '' ? 'count' : 'matches'}`, { count, shown, q: filter.q })
  return { summary, shown, page: { total: count } }
}

/** The entries by day; the line of the last visit stands above the first entry that is older. */
function daysOf({ locals: { language } }: Response, entries: readonly Entry[], visit: Date | undefined) {
  const { t, format } = language
  const nameOf = (at: Date): string => {
    const days = format.daysTo(at)
    // After today as well: the clocks of database and portal may differ.
    if (days < -1 || days > 0) return format.weekday(at)
    return t(days === 0 ? 'activity.today' : 'activity.yesterday', { day: format.weekday(at, 'middle') })
  }
  const seen = visit && entries.findIndex(({ moment }) => moment < visit)
  const lineAt = (index: number): string | undefined =>
    visit && index === seen && index > 0
      ? t('activity.lastVisit', { at: `${format.weekday(visit, 'middle')}, ${format.clock(visit)}` })
      : undefined
  const marked = entries.map((entry, index) => ({ ...entry, visitLine: lineAt(index) }))
  return [...Map.groupBy(marked, ({ moment }) => format.isoDay(moment))].map(([date, ofDay]) => ({
    date,
    name: nameOf(ofDay[0]?.moment ?? new Date(date)),
    entries: ofDay,
  }))
}

function queryOf(values: Readonly<Record<string, string>>): string {
  return `?${new URLSearchParams(Object.entries(values).filter(([, value]) => value !== '')).toString()}`
}
