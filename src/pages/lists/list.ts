import type { Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import type { Organisation } from '../../domain/organisation.ts'
import type { Page, PageAsked } from '../../domain/paging.ts'
import type { Language } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import type { ListResource } from '../../store/sync-state.ts'
import type { Freshness, FreshnessService, Lists } from '../../sync/freshness.ts'
import type { PageDeps } from '../deps.ts'
import type { OrganisationRoute } from '../mount.ts'
import { actingAs, listsHere } from '../request-state.ts'
import type { DownloadRoutes } from './download.ts'
import { type Field, filterWords, type ListFilter, listView, type Tabs } from './list-view.ts'
import { listQuery, preferredSize, rememberSize } from './query.ts'
import { type ExportColumn, type Rows, type Sheet, sheetOf } from './sheet.ts'

/** The definition of a list, from which its page, CSV and XLSX are made. */
export type ListDefinition<Row, Exported, Filter extends Filters, Column extends string> = {
  /** The prefix of the list's messages: `title`, `lead`, `placeholder`, `caption`, `count`, `matches`, `none` … */
  readonly noun: string
  readonly resource: ListResource
  /** The filters of the query, `?q=` among them. */
  readonly filters: z.ZodType<Filter>
  /** The columns that the list can be sorted by; the first is the default. */
  readonly sorts: readonly [Column, ...Column[]]
  /** Filters that only developers have; viewers see the list as without them. */
  readonly developerFilters?: readonly (keyof Filter & string)[]
  /** The columns of the page. */
  readonly columns: readonly ListColumn<Filter, Column>[]
  /** The path of a row's own page, below the organisation's section; `stepThrough` leads from one to the next. */
  readonly detailPath?: (row: Row) => string | undefined
  /** The view of one row: a `<tr>` that reads `locals.row`. */
  readonly rowView: string
  /** The filters beside the text, with their choices. */
  readonly fields: (
    request: ListRequest<Filter, Column> & { readonly fresh: Freshness | undefined },
  ) => readonly Field[] | Promise<readonly Field[]>
  /** Reads one page of the list. */
  readonly load: (request: ListRequest<Filter, Column> & { readonly fresh: Freshness }) => Promise<LoadedList<Row>>
  /** The columns of the downloads. */
  readonly exported: readonly ExportColumn<Exported>[]
  /** Finds every row that the filter matches, in order; they are read some at a time. */
  readonly exportRows: (request: ListRequest<Filter, Column>) => Promise<Rows<Exported>>
  /** A second download, at `<path>/<name>.csv` and `.xlsx`; `label` is the message of its link. */
  readonly moreDownload?: {
    readonly name: string
    readonly label: string
    /** `filterWords` is the filter, for the name of the file. */
    readonly sheetOf: (request: ListRequest<Filter, Column>, filterWords: string) => Sheet
  }
  /** Questions and answers below the list, as message keys below `noun`; `why` adds the link to that page. */
  readonly notes?: (
    organisation: Organisation,
  ) => readonly (readonly [question: string, answer: string, path?: 'why'])[]
  /** The page shows how many records have been read in full. */
  readonly hasProgress?: boolean
}

/** The filters of a list, the text `q` among them. */
export type Filters = ListFilter & { readonly q: string }

/**
 * A column of the page. `label` is a message; `sort` makes the heading a button that sorts; `when` shows it for some
 * filters only. `width` has the classes of public/css/lists.css for what the column holds, `folds` among them when the
 * first column can take its values.
 */
type ListColumn<Filter, Column extends string> = {
  readonly label: string
  readonly sort?: Column
  readonly width?: string
  readonly when?: (filter: Filter) => boolean
}

/** A request for a list. */
export type ListRequest<Filter, Column extends string> = {
  readonly db: Handle
  readonly freshness: FreshnessService
  readonly organisation: Organisation
  readonly language: Language
  /** All languages by code, for texts to others than the user. */
  readonly languages: ReadonlyMap<string, Language>
  readonly lists: Lists
  readonly filter: Filter
  readonly asked: PageAsked<Column>
  readonly isDeveloper: boolean
}

/** The content of a list's page. */
export type LoadedList<Row> = {
  readonly page: Page<Row>
  /** The number of rows without a filter; null when unknown. */
  readonly total: number | null
  readonly tabs?: Tabs | undefined
  /** A notice above the rows while some of them have not been read. */
  readonly notice?: string
  /** Matters of the whole list that its users should know. */
  readonly warnings?: readonly string[]
}

/** What the routes of a list need. */
export type ListDeps = Pick<PageDeps, 'database' | 'freshness' | 'config' | 'languages'> & {
  readonly downloadRoutes: DownloadRoutes
}

/** The site map's routes for a list: its page, and its downloads as `<path>.csv` and `<path>.xlsx`. */
export function listRoutes<Row, Exported, Filter extends Filters, Column extends string>(
  deps: ListDeps,
  route: Pick<OrganisationRoute, 'path' | 'role' | 'menu'>,
  definition: ListDefinition<Row, Exported, Filter, Column>,
): OrganisationRoute[] {
  const { noun, resource, fields, exported, exportRows, moreDownload } = definition
  const requestOf = listRequests(deps, definition)
  const { path, role } = route
  return [
    { ...route, get: showList(definition, requestOf, path, deps) },
    ...deps.downloadRoutes(route, async (req, res) => {
      const request = requestOf(req, res)
      const words = await wordsOf(request)
      return sheetOf(request.language, `${noun}.title`, words, exported, async () => exportRows(request))
    }),
    ...(moreDownload
      ? deps.downloadRoutes({ path: `${path}/${moreDownload.name}`, role }, async (req, res) => {
          const request = requestOf(req, res)
          return moreDownload.sheetOf(request, await wordsOf(request))
        })
      : []),
  ]

  async function wordsOf(request: ListRequest<Filter, Column>): Promise<string> {
    const { filter, lists } = request
    return filterWords(filter, await fields({ ...request, fresh: lists.get(resource) }))
  }
}

/** Parses requests for a list; throws as `listQuery` does. */
export function listRequests<Row, Exported, Filter extends Filters, Column extends string>(
  { database, freshness, languages }: Pick<ListDeps, 'database' | 'freshness' | 'languages'>,
  { filters, sorts, developerFilters = [] }: ListDefinition<Row, Exported, Filter, Column>,
): RequestOf<Filter, Column> {
  const parse = listQuery(filters, sorts)
  return (req, res) => {
    const { language, role } = res.locals
    const { filter, ...asked } = parse(req, language)
    const isDeveloper = role === 'developer'
    const hidden = isDeveloper ? [] : developerFilters.map((name) => [name, ''])
    return {
      filter: { ...filter, ...Object.fromEntries(hidden) },
      ...asked,
      db: database.pages,
      freshness,
      organisation: actingAs(res),
      language,
      languages,
      lists: listsHere(res),
      isDeveloper,
    }
  }
}

type RequestOf<Filter, Column extends string> = (
  req: Pick<Request, 'query' | 'headers'>,
  res: Response,
) => ListRequest<Filter, Column> & { readonly isSizeAsked: boolean }

function showList<Row, Exported, Filter extends Filters, Column extends string>(
  definition: ListDefinition<Row, Exported, Filter, Column>,
  requestOf: RequestOf<Filter, Column>,
  path: string,
  { config }: Pick<ListDeps, 'config'>,
): RequestHandler {
  const { noun, resource, sorts, columns, rowView, notes, hasProgress = false, moreDownload } = definition
  return async (req, res) => {
    const request = requestOf(req, res)
    const { organisation, language, lists, filter, asked } = request
    if (request.isSizeAsked) rememberSize(res, asked.size, config.https)
    const fresh = await request.freshness.list(organisation, resource, lists)
    const loaded = await definition.load({ ...request, fresh })
    const { total, tabs, notice = '', warnings = [] } = loaded
    const page = exactAtTheEnd(loaded.page)
    const view = listView({
      path: `${req.baseUrl}${path}`,
      filter,
      asked: { ...asked, page: page.number },
      columns: sorts.map((name) => ({ name, label: orderLabel(noun, columns, name, language) })),
      preferredSize: request.isSizeAsked ? asked.size : preferredSize(req),
      fields: await definition.fields({ ...request, fresh }),
      tabs,
      page,
    })
    res.render('lists/page', {
      title: language.t(`${noun}.title`),
      noun,
      columns: columns.filter(({ when }) => when?.(filter) ?? true),
      rowView,
      notes: notes?.(organisation) ?? [],
      hasProgress,
      page,
      total,
      notice,
      warnings,
      fresh,
      lastPage: asked.page > page.number ? language.format.number(asked.page) : '',
      list: { ...view, moreDownload },
    })
  }
}

/** The last page tells the exact number of matches. */
function exactAtTheEnd<Row>(page: Page<Row>): Page<Row> {
  return page.more && !page.hasNext && page.to > 0 ? { ...page, total: page.to, more: false } : page
}

/** An order in words: its own message, else the heading of its column. */
function orderLabel(
  noun: string,
  columns: readonly { readonly label: string; readonly sort?: string }[],
  name: string,
  { t, label }: Language,
): string {
  const column = columns.find(({ sort }) => sort === name)
  return column ? t(column.label) : label(`${noun}.${name}`, name)
}
