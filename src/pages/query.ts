import type { Request } from 'express'
import { z } from 'zod'
import { BadRequestError, NotFoundError } from '../errors.ts'
import type { Page } from '../paging.ts'

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

/** @throws BadRequestError when the query is not what the schema wants; parameters it does not name are ignored */
export const parseQuery = <Output>(schema: z.ZodType<Output>, { query }: Request): Output => {
  const parsed = schema.safeParse(query)
  if (!parsed.success)
    throw new BadRequestError(`query: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`)
  return parsed.data
}

/** @throws NotFoundError for a page beyond the last one */
export const checkPage = ({ number, pageCount }: Page<unknown>): void => {
  if (number > pageCount) throw new NotFoundError(`page ${number} of ${pageCount}`)
}

/** Links to the page before and after, with everything else of the query as it was. */
export const pagerLinks = (page: Page<unknown>, query: Readonly<Record<string, string>>) => {
  const link = (number: number): string =>
    `?${new URLSearchParams([...Object.entries(query).filter(([, value]) => value !== ''), ['page', String(number)]]).toString()}`
  return {
    previous: page.number > 1 ? link(page.number - 1) : undefined,
    next: page.number < page.pageCount ? link(page.number + 1) : undefined,
  }
}
