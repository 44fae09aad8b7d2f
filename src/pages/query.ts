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

/** @throws NotFoundError for a page beyond the last one; there is always a first one */
export const checkPage = ({ number, rows }: Page<unknown>): void => {
  if (number > 1 && rows.length === 0) throw new NotFoundError(`page ${number} has nothing`)
}

/** Links to the page before and after, with everything else of the query as it was. */
export const pagerLinks = (page: Page<unknown>, query: Readonly<Record<string, string>>) => {
  const link = (number: number): string =>
    `?${new URLSearchParams([...Object.entries(query).filter(([, value]) => value !== ''), ['page', String(number)]]).toString()}`
  return {
    previous: page.number > 1 ? link(page.number - 1) : undefined,
    next: page.hasNext ? link(page.number + 1) : undefined,
  }
}
