import { parse as parseQueryString } from 'node:querystring'
import type { RequestHandler } from 'express'
import type { Page, PageAsked } from '../../domain/paging.ts'
import { BadRequestError, TooDeepError } from '../../errors.ts'
import { listsHere } from '../request-state.ts'
import { type Filters, type ListDefinition, type ListDeps, listRequests } from './list.ts'
import { isFiltering, listView } from './list-view.ts'
import { preferredSize } from './query.ts'

declare global {
  namespace Express {
    interface Locals {
      /** Where the open record stands in the list that the user came from; null without one. Set by `stepThrough`. */
      steps: {
        /** The path of the list, and its URL with the filter. */
        readonly path: string
        readonly list: string
        readonly isFiltered: boolean
        readonly at: string
        readonly total: string
        readonly previous: string | undefined
        readonly next: string | undefined
      } | null
    }
  }
}

/** The longest `?from=`: three filters with a text of 100 characters fit, percent-encoded. */
const longestFrom = 2000

/**
 * Middleware of a record's page with `?from=`, the query of the list that the user came from: finds the record's place
 * there, and its neighbours. The query is parsed by the list's own schema, and links are made from what it gives, so
 * that no other URL can come of it. A query that the list refuses, or a record that is not on that page, gives nothing.
 */
export function stepThrough<Row, Exported, Filter extends Filters, Column extends string>(
  deps: Pick<ListDeps, 'database' | 'freshness' | 'languages'>,
  path: string,
  definition: ListDefinition<Row, Exported, Filter, Column>,
): RequestHandler {
  const { sorts, resource, detailPath = () => undefined } = definition
  const requestOf = listRequests(deps, definition)
  return async (req, res, next) => {
    const { from } = req.query
    const lists = listsHere(res)
    const fresh = lists.get(resource)
    if (typeof from !== 'string' || from.length > longestFrom || !fresh) return next()
    const request = refusedAsUndefined(() => requestOf({ headers: req.headers, query: parseQueryString(from) }, res))
    if (!request) return next()
    const { filter, asked, language } = request
    const load = async (number: number): Promise<Page<Row>> => {
      const { page } = await definition.load({ ...request, asked: { ...asked, page: number }, fresh })
      return page
    }
    const view = (page: Page<Row>) =>
      listView({
        path: `${req.baseUrl}${path}`,
        filter,
        asked: { ...asked, page: page.number } satisfies PageAsked<Column>,
        columns: sorts.map((name) => ({ name, label: name })),
        preferredSize: preferredSize(req),
        fields: [],
        page,
      })
    const page = await load(asked.page)
    const at = page.rows.findIndex((row) => `/${detailPath(row)}` === req.path)
    if (at === -1) return next()
    const linkTo = (row: Row | undefined, of: Page<Row>): string | undefined => {
      const target = row && detailPath(row)
      return target && `${req.baseUrl}/${target}${view(of).from}`
    }
    const beside = async (step: 1 | -1): Promise<string | undefined> => {
      const row = page.rows[at + step]
      if (row) return linkTo(row, page)
      if (step === -1 ? page.number === 1 : !page.hasNext) return undefined
      const other = await load(page.number + step)
      return linkTo(other.rows.at(step === 1 ? 0 : -1), other)
    }
    const { t, format } = language
    const total = format.number(page.total)
    res.locals.steps = {
      path: `${req.baseUrl}${path}`,
      list: view(page).here,
      isFiltered: isFiltering(filter),
      at: format.number(page.from + at),
      total: page.more ? t('common.moreThan', { count: total }) : total,
      previous: await beside(-1),
      next: await beside(1),
    }
    return next()
  }
}

function refusedAsUndefined<Value>(parse: () => Value): Value | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof BadRequestError || error instanceof TooDeepError) return undefined
    throw error
  }
}
