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
import { type Field, type ListFilter, listView } from './list-view.ts'
import { listQuery, preferredSize, rememberSize } from './query.ts'
import { type ExportColumn, type Rows, sheetOf } from './sheet.ts'

/** The definition of a list, from which its page, CSV and XLSX are made. */
export type ListDefinition<Row, Exported, Filter extends Filters, Column extends string> = {
  /** The prefix of the list's messages: `title`, `lead`, `placeholder`, `caption`, `count`, `matches`, `none` … */
  readonly noun: string
  readonly resource: ListResource
  /** The filters of the query, `?q=` among them. */
  readonly filters: z.ZodType<Filter>
  /** The columns that the list can be sorted by; the first is the default. */
  readonly sorts: readonly [Column, ...Column[]]
  /**
   * The columns of the page. `label` is a message; `sort` makes the heading a button that sorts; `width` has the classes
   * of public/css/lists.css for what the column holds, `folds` among them when the first column can take its values.
   */
  readonly columns: readonly { readonly label: string; readonly sort?: Column; readonly width?: string }[]
  /** The path of a row's own page, below the organisation's section; `stepThrough` leads from one to the next. */
  readonly detailPath?: (row: Row) => string | undefined
  /** The view of one row: a `<tr>` that reads `locals.row`. */
  readonly rowView: string
  /** Reads one page of the list, and the choices of its filters. */
  readonly load: (request: ListRequest<Filter, Column> & { readonly fresh: Freshness }) => Promise<LoadedList<Row>>
  /** The columns of the downloads. */
  readonly exported: readonly ExportColumn<Exported>[]
  /** Finds every row that the filter matches, in order; they are read some at a time. */
  readonly exportRows: (request: ListRequest<Filter, Column>) => Promise<Rows<Exported>>
  /** Questions and answers below the list, as message keys below `noun`. */
  readonly notes?: (organisation: Organisation) => readonly (readonly [question: string, answer: string])[]
  /** The page shows how many records have been read in full. */
  readonly hasProgress?: boolean
}

/** The filters of a list, the text `q` among them. */
export type Filters = ListFilter & { readonly q: string }

/** A request for a list. */
export type ListRequest<Filter, Column extends string> = {
  readonly db: Handle
  readonly freshness: FreshnessService
  readonly organisation: Organisation
  readonly language: Language
  readonly lists: Lists
  readonly filter: Filter
  readonly asked: PageAsked<Column>
}

/** The content of a list's page. */
export type LoadedList<Row> = {
  readonly page: Page<Row>
  /** The number of rows without a filter; null when unknown. */
  readonly total: number | null
  /** The filters beside the text. */
  readonly fields?: readonly Field[]
  /** The number of rows of the first tab, which stands for all. */
  readonly tabTotal?: number
  /** A notice above the rows while some of them have not been read. */
  readonly notice?: string
  /** Matters of the whole list that its users should know. */
  readonly warnings?: readonly string[]
}

/** What the routes of a list need. */
export type ListDeps = Pick<PageDeps, 'database' | 'freshness' | 'config'> & { readonly downloadRoutes: DownloadRoutes }

/** The site map's routes for a list: its page, and its downloads as `<path>.csv` and `<path>.xlsx`. */
export function listRoutes<Row, Exported, Filter extends Filters, Column extends string>(
  deps: ListDeps,
  route: Pick<OrganisationRoute, 'path' | 'role' | 'menu'>,
  definition: ListDefinition<Row, Exported, Filter, Column>,
): OrganisationRoute[] {
  const parse = listQuery(definition.filters, definition.sorts)
  const requestOf: RequestOf<Filter, Column> = (req, res) => {
    const { language } = res.locals
    return {
      ...parse(req, language),
      db: deps.database.pages,
      freshness: deps.freshness,
      organisation: actingAs(res),
      language,
      lists: listsHere(res),
    }
  }
  const { noun, exported, exportRows } = definition
  return [
    { ...route, get: showList(definition, requestOf, route.path, deps) },
    ...deps.downloadRoutes(route, (req, res) => {
      const request = requestOf(req, res)
      return sheetOf(request.language, `${noun}.title`, request.filter, exported, async () => exportRows(request))
    }),
  ]
}

type RequestOf<Filter, Column extends string> = (
  req: Request,
  res: Response,
) => ListRequest<Filter, Column> & { readonly isSizeAsked: boolean }

function showList<Row, Exported, Filter extends Filters, Column extends string>(
  definition: ListDefinition<Row, Exported, Filter, Column>,
  requestOf: RequestOf<Filter, Column>,
  path: string,
  { config }: Pick<ListDeps, 'config'>,
): RequestHandler {
  const { noun, resource, sorts, columns, rowView, notes, hasProgress = false } = definition
  return async (req, res) => {
    const request = requestOf(req, res)
    const { organisation, language, lists, filter, asked } = request
    if (request.isSizeAsked) rememberSize(res, asked.size, config.https)
    const fresh = await request.freshness.list(organisation, resource, lists)
    const load = async (number: number) => definition.load({ ...request, asked: { ...asked, page: number }, fresh })
    const first = await load(asked.page)
    // A page past the end shows the last one.
    const last = lastPageOf(first.page, asked)
    const { total, fields = [], tabTotal = 0, notice = '', warnings = [], ...loaded } = last ? await load(last) : first
    const page = exactAtTheEnd(loaded.page)
    res.render('lists/page', {
      title: language.t(`${noun}.title`),
      noun,
      columns,
      rowView,
      notes: notes?.(organisation) ?? [],
      hasProgress,
      page,
      total,
      tabTotal,
      notice,
      warnings,
      fresh,
      lastPage: last && !page.hasNext ? language.format.number(asked.page) : '',
      list: listView({
        path: `${req.baseUrl}${path}`,
        filter,
        asked,
        columns: sorts.map((name) => ({ name, label: orderLabel(definition, name, language) })),
        preferredSize: request.isSizeAsked ? asked.size : preferredSize(req),
        fields,
        page,
      }),
    })
  }
}

/** The number of the last page when the requested one is past the end. */
function lastPageOf({ number, rows, total }: Page<unknown>, { size }: Pick<PageAsked, 'size'>): number | undefined {
  return number > 1 && rows.length === 0 ? Math.max(1, Math.ceil(total / size)) : undefined
}

/** The last page tells the exact number of matches. */
function exactAtTheEnd<Row>(page: Page<Row>): Page<Row> {
  return page.more && !page.hasNext && page.to > 0 ? { ...page, total: page.to, more: false } : page
}

/** An order in words: its own message, else the heading of its column. */
function orderLabel(
  { noun, columns }: Pick<ListDefinition<never, never, Filters, string>, 'noun' | 'columns'>,
  name: string,
  { t, label }: Language,
): string {
  const column = columns.find(({ sort }) => sort === name)
  return column ? t(column.label) : label(`${noun}.${name}`, name)
}
