import { lastRow, type Page, type PageAsked, pageSizes } from '../../domain/paging.ts'
import { type Mark, highlighter } from '../../presentation/highlight.ts'

/** The values of a list's filters by parameter name; '', false and an empty list do not filter. */
export type ListFilter = Readonly<Record<string, string | boolean | readonly string[]>>

/**
 * A filter beside the text. `one`: at most one of the options; `many`: several that must all hold; `tick`: a checkbox
 * with one option; `chip`: not in the form, only as a chip when a link or a tab has set it.
 */
export type Field = {
  readonly kind: 'one' | 'many' | 'tick' | 'chip'
  readonly name: string
  readonly label: string
  readonly options: readonly { readonly value: string; readonly label: string; readonly count?: number }[]
}

/** Tabs above the rows. Each sets its filters and clears those of the other tabs; `isAll` comes first on phones. */
export type Tabs = {
  readonly label: string
  readonly options: readonly {
    readonly label: string
    readonly count: number
    readonly filter: ListFilter
    readonly isAll?: true
  }[]
}

/**
 * Everything around the rows of a list, as finished values: its filters, and links that change filter, sorting, size or
 * page. Each link keeps the rest of the query; all but the pager's lead to the first page.
 * @param options.path of the list, without a query
 * @param options.columns the columns it can be sorted by, with their labels; links leave the first out
 * @param options.preferredSize the page size that links leave out
 * @param options.fields the filters beside the text `q`
 */
export function listView<Column extends string>(options: {
  readonly path: string
  readonly filter: ListFilter & { readonly q: string }
  readonly asked: PageAsked<Column>
  readonly columns: readonly { readonly name: Column; readonly label: string }[]
  readonly preferredSize: number
  readonly fields: readonly Field[]
  readonly tabs?: Tabs | undefined
  readonly page: Page<unknown>
}) {
  const { path, filter, columns, fields, tabs, page, preferredSize } = options
  const { sort, size } = options.asked
  const first = columns[0]?.name
  const named = (column: Column, isDescending: boolean): string =>
    isDescending ? `-${column}` : column === first ? '' : column
  const state = {
    sort: named(sort.column, sort.descending),
    size: size === preferredSize ? '' : String(size),
  }
  const query = queryOf({ ...filter, ...state })
  const pageQuery = queryOf({ ...filter, ...state, page: page.number > 1 ? String(page.number) : '' })
  // An empty href would keep the current query, so the link names the path.
  const link = (changes: ListFilter): string => queryOf({ ...filter, ...state, ...changes }) || path

  const sorts = columns.map(({ name: column }) => {
    const isSorted = column === sort.column
    const sorted = isSorted ? (sort.descending ? 'descending' : 'ascending') : 'none'
    // The third press returns to the default order.
    const next = isSorted && sort.descending ? (first ?? column) : `${isSorted ? '-' : ''}${column}`
    return [column, { sorted, next }] as const
  })
  const shown = fields.map((field) => {
    const values = valuesOf(filter[field.name])
    return {
      ...field,
      options: field.options.map((option) => ({ ...option, selected: values.includes(option.value) })),
      isAll: values.length === 0,
    }
  })
  const chips = chosenIn(filter, fields).map(({ name, value: chosen, words }) => ({
    label: words,
    href: link({ [name]: valuesOf(filter[name]).filter((value) => value !== chosen) }),
  }))
  const formFields = shown.filter(({ kind }) => kind !== 'chip')
  const inForm = new Set(['q', 'sort', 'size', ...formFields.map(({ name }) => name)])
  /** This page of the list, for a link back to it. */
  const here = `${path}${pageQuery}`
  const mark: Mark = highlighter(filter.q)
  return {
    path,
    here,
    q: filter.q,
    mark,
    /** Another filter than the text is set. */
    isNarrowed: chips.length > 0,
    isFiltered: chips.length > 0 || filter.q !== '',
    fields: formFields,
    tabs: tabs && { label: tabs.label, options: tabLinks(tabs, filter, link) },
    chips,
    sorts: Object.fromEntries(sorts),
    /** Every order, for a field beside the filters. */
    orders: columns.flatMap(({ name, label }) =>
      [false, true].map((isDescending) => ({
        value: named(name, isDescending),
        label: isDescending ? `${label} ↓` : label,
        isCurrent: name === sort.column && isDescending === sort.descending,
      })),
    ),
    sizes: pageSizes.map((count) => ({
      count,
      value: count === preferredSize ? '' : String(count),
      isCurrent: count === size,
    })),
    pages: Math.ceil(Math.min(page.total, lastRow) / size),
    previous: page.number > 1 ? link({ page: page.number > 2 ? String(page.number - 1) : '' }) : undefined,
    next: page.hasNext && page.to + size <= lastRow ? link({ page: String(page.number + 1) }) : undefined,
    /** Names and values that the form sends beside its own fields. */
    kept: pairsOf(filter).filter(([name]) => !inForm.has(name)),
    isDefaultOrder: sort.column === first && !sort.descending,
    query,
    /** The query of a details page that leads back to this page of the list, and on to its neighbours. */
    from: `?${new URLSearchParams({ from: pageQuery.slice(1) }).toString()}`,
    downloads: { csvHref: `${path}.csv${query}`, xlsxHref: `${path}.xlsx${query}` },
  }
}

/** The chosen options of the filters, in words: "Market: Norway". */
function chosenIn(filter: ListFilter, fields: readonly Field[]) {
  return fields.flatMap(({ name, label, options }) => {
    const values = valuesOf(filter[name])
    return options
      .filter(({ value }) => values.includes(value))
      .map((option) => ({
        name,
        value: option.value,
        words: label === '' ? option.label : `${label}: ${option.label}`,
      }))
  })
}

/** The text and the chosen filters in words, as the chips say them; '' without any. */
export function filterWords(filter: ListFilter & { readonly q: string }, fields: readonly Field[]): string {
  const words = [filter.q, ...chosenIn(filter, fields).map((chosen) => chosen.words)]
  return words.filter((word) => word !== '').join(', ')
}

/** Whether any of the filters is set. */
export function isFiltering(filter: ListFilter): boolean {
  return pairsOf(filter).length > 0
}

function tabLinks({ options }: Tabs, filter: ListFilter, link: (changes: ListFilter) => string) {
  const cleared = Object.fromEntries(options.flatMap((tab) => Object.keys(tab.filter)).map((name) => [name, '']))
  return options.map(({ label, count, filter: own, isAll }) => {
    const changes: ListFilter = { ...cleared, ...own }
    const selected = Object.entries(changes).every(
      ([name, value]) => queryOf({ name: filter[name] ?? '' }) === queryOf({ name: value }),
    )
    return { label, count, href: link(changes), selected, isAll }
  })
}

function pairsOf(query: ListFilter): [string, string][] {
  return Object.entries(query).flatMap(([name, value]) => valuesOf(value).map((one): [string, string] => [name, one]))
}

/** The query string of the values that filter; '' without any. */
export function queryOf(query: ListFilter): string {
  const pairs = pairsOf(query)
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`
}

function valuesOf(value: ListFilter[string] | undefined): readonly string[] {
  if (typeof value === 'boolean') return value ? ['1'] : []
  return [value ?? []].flat().filter((one) => one !== '')
}
