import type { Browser, Visit } from './browser.ts'

/** White space folded, as a reader sees it. */
export function fold(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

type Found = ReturnType<Visit['$']>

/** The words of an element; what is hidden from those without JavaScript is left out. */
export function wordsOf(found: Found): string {
  const copy = found.clone()
  copy.find('[hidden]').remove()
  copy.find('br').replaceWith(' ')
  return fold(copy.text())
}

/** Cell by cell what the page's table says, without its headings. */
export function rowsOf({ $ }: Visit): string[][] {
  return $('main tbody tr')
    .toArray()
    .map((row) =>
      $(row)
        .find('td')
        .toArray()
        .map((cell) => wordsOf($(cell))),
    )
}

/** The headings of the page's table. */
export function headingsOf({ $ }: Visit): string[] {
  return $('main thead th')
    .toArray()
    .map((cell) => wordsOf($(cell)))
}

/** The page's facts: what stands beside each term. */
export function factsOf({ $ }: Visit): Record<string, string> {
  return Object.fromEntries(
    $('main dl.facts > div')
      .toArray()
      .map((fact) => [wordsOf($(fact).find('dt')), wordsOf($(fact).find('dd'))]),
  )
}

/** Every link of the main part, as its words and where it leads. */
export function linksOf({ $ }: Visit): Record<string, string> {
  return Object.fromEntries(
    $('main a')
      .toArray()
      .map((link) => [wordsOf($(link)), String($(link).attr('href'))]),
  )
}

/** The filters that are on, as their words and what takes each away. */
export function chipsOf({ $ }: Visit): Record<string, string> {
  return Object.fromEntries(
    $('main .ds-chip')
      .toArray()
      .map((chip) => [wordsOf($(chip)), String($(chip).attr('href'))]),
  )
}

/** A business identifier as people of its country write it. */
export function writtenIdentifier({ scheme, id }: { readonly scheme: string; readonly id: string }): string {
  if (scheme === 'business:NO:ORG') return `NO ${id.slice(0, 3)} ${id.slice(3, 6)} ${id.slice(6)}`
  return scheme === 'business:DK:CVR' ? `DK CVR ${id}` : `FI ${id}`
}

/** A date as the English pages show it. */
export function shownDate(time: Date): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Europe/Oslo' }).format(time)
}

/** A list from its first page on to its last by "Next", a page at a time. */
export async function readAll(browser: Browser, path: string): Promise<string[][][]> {
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
export async function readRows(browser: Browser, path: string): Promise<string[][]> {
  return (await readAll(browser, path)).flat()
}

/** Rows in an order of their own, to compare with others that are in no order. */
export function inOrder(rows: readonly (readonly string[])[]): string[] {
  return rows.map((row) => row.join(' | ')).toSorted()
}

/** What the portal logged, an object a line. */
export function linesOf(log: string): Record<string, unknown>[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
