import type { Browser, Visit } from './browser.ts'

/** White space folded, as a reader sees it. */
export const fold = (text: string): string => text.replace(/\s+/g, ' ').trim()

type Found = ReturnType<Visit['$']>

/** The words of an element; what is hidden from those without JavaScript is left out. */
export const wordsOf = (found: Found): string => {
  const copy = found.clone()
  copy.find('[hidden]').remove()
  copy.find('br').replaceWith(' ')
  return fold(copy.text())
}

/** Cell by cell what the page's table says, without its headings. */
export const rowsOf = ({ $ }: Visit): string[][] =>
  $('main tbody tr')
    .toArray()
    .map((row) =>
      $(row)
        .find('td')
        .toArray()
        .map((cell) => wordsOf($(cell))),
    )

/** The headings of the page's table. */
export const headingsOf = ({ $ }: Visit): string[] =>
  $('main thead th')
    .toArray()
    .map((cell) => wordsOf($(cell)))

/** The page's facts: what stands beside each term. */
export const factsOf = ({ $ }: Visit): Record<string, string> =>
  Object.fromEntries(
    $('main dl.facts > div')
      .toArray()
      .map((fact) => [wordsOf($(fact).find('dt')), wordsOf($(fact).find('dd'))]),
  )

/** Every link of the main part, as its words and where it leads. */
export const linksOf = ({ $ }: Visit): Record<string, string> =>
  Object.fromEntries(
    $('main a')
      .toArray()
      .map((link) => [wordsOf($(link)), String($(link).attr('href'))]),
  )

/** The filters that are on, as their words and what takes each away. */
export const chipsOf = ({ $ }: Visit): Record<string, string> =>
  Object.fromEntries(
    $('main .ds-chip')
      .toArray()
      .map((chip) => [wordsOf($(chip)), String($(chip).attr('href'))]),
  )

/** A business identifier as people of its country write it. */
export const writtenIdentifier = ({
  scheme,
  id,
}: {
  readonly scheme: string
  readonly id: string
}): string => {
  if (scheme === 'business:NO:ORG') return `NO ${id.slice(0, 3)} ${id.slice(3, 6)} ${id.slice(6)}`
  return scheme === 'business:DK:CVR' ? `DK CVR ${id}` : `FI ${id}`
}

/** A date as the English pages show it. */
export const shownDate = (time: Date): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Europe/Oslo' }).format(time)

/** A list from its first page on to its last by "Next", a page at a time. */
export const readAll = async (browser: Browser, path: string): Promise<string[][][]> => {
  const pages: string[][][] = []
  let page = await browser.open(path)
  for (;;) {
    pages.push(rowsOf(page))
    const next = page.$('main a[rel=next]').attr('href')
    if (next === undefined) return pages
    page = await browser.open(new URL(next, page.url).href)
  }
}

/** The same in one row of all. */
export const readRows = async (browser: Browser, path: string): Promise<string[][]> =>
  (await readAll(browser, path)).flat()

/** Rows in an order of their own, to compare with others that are in no order. */
export const inOrder = (rows: readonly (readonly string[])[]): string[] =>
  rows.map((row) => row.join(' | ')).toSorted()

/** What the portal logged, an object a line. */
export const linesOf = (log: string): Record<string, unknown>[] =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
