import type { Request, Response } from 'express'
import { z } from 'zod'
import { BadRequestError, TooDeepError } from '../../errors.ts'
import { lastRow, type PageAsked, pageSizes, type PageSize } from '../../domain/paging.ts'
import type { Language } from '../../presentation/language.ts'
import { readPreference, rememberPreference } from '../../presentation/preference-cookie.ts'

/** Search text, trimmed: at most 100 characters, without control characters. */
export const searchText = z
  .string()
  .trim()
  .max(100)
  .regex(/^\P{Cc}*$/u)
  .default('')

/** The key of another record, from a link: at most 210 characters, as a merchantKey() can have. */
export const recordKey = z
  .string()
  .max(210)
  .regex(/^\P{Cc}*$/u)
  .default('')

/** A page number from 1. */
export const pageNumber = z
  .string()
  .regex(/^([1-9]\d{0,5})?$/)
  .default('')
  .transform((value) => Number(value || '1'))

/** One of the values; '' for all. */
export function choice<const Values extends readonly string[]>(values: Values) {
  return z.enum(['', ...values]).default('')
}

/** Several of the values, in their order and without duplicates. */
export function choices<const Values extends readonly string[]>(values: Values) {
  return z
    .union([z.enum(['', ...values]), z.array(z.enum(['', ...values])).max(2 * values.length)])
    .default('')
    .transform((asked): Values[number][] => values.filter((value) => [asked].flat().some((one) => one === value)))
}

/** A checkbox: `1` or nothing. */
export const ticked = choice(['1']).transform((value) => value === '1')

/** A number of days, 1 to 366; '' for no filter. */
export const days = z
  .string()
  .regex(/^([1-9]\d?|[12]\d\d|3[0-5]\d|36[0-6])?$/)
  .default('')

/** A month such as 2026-11; '' for no filter. */
export const month = z
  .string()
  .regex(/^(20\d\d-(0[1-9]|1[0-2]))?$/)
  .default('')

/** Parses the query by the schema; other parameters are ignored. @throws BadRequestError for an invalid query */
export function parseQuery<Output>(schema: z.ZodType<Output>, { query }: Pick<Request, 'query'>): Output {
  const parsed = schema.safeParse(query)
  if (!parsed.success)
    throw new BadRequestError(`query: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`)
  return parsed.data
}

/**
 * Parses a list's query: its filters, and `?sort=&by=&page=&size=`. `sort=name` sorts ascending, `sort=-name`
 * descending; the first column is the default. A heading's button sends `by`, which overrides the form's `sort`. Names
 * are in the order of the language. Without `size` the page has the user's preferred size.
 * @throws BadRequestError for an invalid query, TooDeepError for a page behind `lastRow`
 */
export function listQuery<Filter, const Column extends string>(
  filters: z.ZodType<Filter>,
  columns: readonly [Column, ...Column[]],
) {
  const order = choice(columns.flatMap((column) => [column, `-${column}`]))
  const state = z.object({ sort: order, by: order, page: pageNumber, size: choice(pageSizes.map(String)) })
  return (
    req: Pick<Request, 'query' | 'headers'>,
    { code }: Pick<Language, 'code'>,
  ): { readonly filter: Filter; readonly asked: PageAsked<Column>; readonly isSizeAsked: boolean } => {
    const filter = parseQuery(filters, req)
    const { sort, by, page, size } = parseQuery(state, req)
    const asked = by || sort
    const rows = pageSizes.find((some) => String(some) === size) ?? preferredSize(req)
    if (page * rows > lastRow) throw new TooDeepError(`page ${page}`)
    const column = columns.find((name) => asked === name || asked === `-${name}`) ?? columns[0]
    return {
      filter,
      isSizeAsked: size !== '',
      asked: {
        page,
        size: rows,
        sort: { column, descending: asked.startsWith('-'), language: code },
      },
    }
  }
}

const sizeCookie = 'page-size'

/** The page size that the user chose last, in this browser; else the default. */
export function preferredSize(req: Pick<Request, 'headers'>): PageSize {
  const chosen = readPreference(req, sizeCookie)
  return pageSizes.find((size) => String(size) === chosen) ?? pageSizes[0]
}

/** Stores the page size in a cookie for a year. */
export function rememberSize(res: Response, size: PageSize, https: boolean): void {
  rememberPreference(res, sizeCookie, String(size), https)
}
