import type { Request } from 'express'
import { z } from 'zod'
import { BadRequestError, NotFoundError } from '../../errors.ts'
import { type Page, type PageAsked, pageSizes } from '../../domain/paging.ts'

/** Text to look for, without the space around it: at most 100 characters, none of them a control character. */
export const searchText = z
  .string()
  .trim()
  .max(100)
  .regex(/^\P{Cc}*$/u)
  .default('')

/** A page number from 1. */
export const pageNumber = z
  .string()
  .regex(/^([1-9]\d{0,5})?$/)
  .default('')
  .transform((value) => Number(value || '1'))

/** One choice among what may be asked for; '' for all. */
export function choice<const Values extends readonly string[]>(values: Values) {
  return z.enum(['', ...values]).default('')
}

/** What may be asked for more than once, among these values; in the order of the values, none twice. */
export function choices<const Values extends readonly string[]>(values: Values) {
  return z
    .union([z.enum(['', ...values]), z.array(z.enum(['', ...values])).max(2 * values.length)])
    .default('')
    .transform((asked): Values[number][] => values.filter((value) => [asked].flat().some((one) => one === value)))
}

/** A box that is ticked or not: `1` or nothing. */
export const ticked = choice(['1']).transform((value) => value === '1')

/** @throws BadRequestError when the query is not what the schema wants; parameters it does not name are ignored */
export function parseQuery<Output>(schema: z.ZodType<Output>, { query }: Request): Output {
  const parsed = schema.safeParse(query)
  if (!parsed.success)
    throw new BadRequestError(`query: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`)
  return parsed.data
}

/** @throws NotFoundError for a page beyond the last one; there is always a first one */
export function checkPage({ number, rows }: Page<unknown>): void {
  if (number > 1 && rows.length === 0) throw new NotFoundError(`page ${number} has nothing`)
}

/**
 * Reads a list's query: its filters, and `?sort=&by=&page=&size=`, sorted by the first of the columns unless asked:
 * `name`, or `-name` the other way round. A heading's button sends `by`, which goes before the `sort` that the form
 * remembers.
 */
export function listQuery<Filter, const Column extends string>(
  filters: z.ZodType<Filter>,
  columns: readonly [Column, ...Column[]],
) {
  const order = choice(columns.flatMap((column) => [column, `-${column}`]))
  const state = z.object({ sort: order, by: order, page: pageNumber, size: choice(pageSizes.map(String)) })
  return (req: Request): { readonly filter: Filter; readonly asked: PageAsked<Column> } => {
    const filter = parseQuery(filters, req)
    const { sort, by, page, size } = parseQuery(state, req)
    const asked = by || sort
    const column = columns.find((name) => asked === name || asked === `-${name}`) ?? columns[0]
    return {
      filter,
      asked: {
        page,
        size: pageSizes.find((rows) => String(rows) === size) ?? pageSizes[0],
        sort: { column, descending: asked.startsWith('-') },
      },
    }
  }
}
