import type { Browser, Visit } from './browser.ts'

/** Collapses white space, as the browser shows it. */
export function fold(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

type Found = ReturnType<Visit['$']>

/** The text of an element without hidden parts, copy buttons, and what only narrow tables show below the first column. */
export function wordsOf(found: Found): string {
  const copy = found.clone()
  copy.find('[hidden], .fold, button[data-copy]').remove()
  copy.find('br').replaceWith(' ')
  copy.find('small, .under').before(' ')
  return fold(copy.text())
}

/** The text of each cell of the page's table, row by row. */
export function rowsOf({ $ }: Visit): string[][] {
  return $('main tbody tr:has(td)')
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

/** The page's facts: the value of each term. */
export function factsOf({ $ }: Visit): Record<string, string> {
  return Object.fromEntries(
    $('main dl.facts > div')
      .toArray()
      .map((fact) => [wordsOf($(fact).find('dt')), wordsOf($(fact).find('dd'))]),
  )
}

/** Every link of the main part: its text and its target, without the list that it comes from. */
export function linksOf({ $ }: Visit): Record<string, string> {
  return Object.fromEntries(
    $('main a')
      .toArray()
      .map((link) => [wordsOf($(link)), String($(link).attr('href')).replace(/\?from=.*$/, '')]),
  )
}

/** The active filters: the text of each chip and the URL that removes it. */
export function chipsOf({ $ }: Visit): Record<string, string> {
  return Object.fromEntries(
    $('main .ds-chip')
      .toArray()
      .map((chip) => [wordsOf($(chip)), String($(chip).attr('href'))]),
  )
}

/** A business identifier in the notation of its country. */
export function writtenIdentifier({ scheme, id }: { readonly scheme: string; readonly id: string }): string {
  if (scheme === 'business:NO:ORG') return `NO ${id.slice(0, 3)} ${id.slice(3, 6)} ${id.slice(6)}`
  return scheme === 'business:DK:CVR' ? `DK ${id}` : `FI ${id}`
}

const registers: Readonly<Record<string, string>> = {
  'business:NO:ORG': 'Norwegian organisation number',
  'business:DK:CVR': 'Danish CVR number',
  'business:FI:Y-tunnus': 'Finnish business ID (Y-tunnus)',
}

/** A business identifier as pages of details write it in English: with the kind of its number. */
export function explainedIdentifier(identifier: { readonly scheme: string; readonly id: string }): string {
  return `${writtenIdentifier(identifier)} ${registers[identifier.scheme]}`
}

/** A date as the English pages show it. */
export function shownDate(time: Date, dateStyle: 'medium' | 'long' = 'medium'): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle, timeZone: 'Europe/Oslo' }).format(time)
}

/** Reads all pages of a list by following "Next". */
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

/** The rows of all pages of a list. */
export async function readRows(browser: Browser, path: string): Promise<string[][]> {
  return (await readAll(browser, path)).flat()
}

/** The rows as sorted strings, to compare lists regardless of order. */
export function inOrder(rows: readonly (readonly string[])[]): string[] {
  return rows.map((row) => row.join(' | ')).toSorted()
}

/** The log lines, parsed. */
export function linesOf(log: string): Record<string, unknown>[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
