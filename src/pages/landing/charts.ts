import type { Format } from '../../presentation/format.ts'

/** The data of a chart: numbers by month and kind. Kinds are stacked in this order, from below. */
export type Numbers = {
  /** Such as 2026-11, the oldest first. */
  readonly months: readonly string[]
  /** `series` names the colour. */
  readonly kinds: readonly { readonly key: string; readonly name: string; readonly series: string }[]
  readonly at: (month: string, kind: string) => number
  /** The path of the list with the rows of a month, or of a month and kind; below the organisation's section. */
  readonly pathOf: (month: string, kind?: string) => string | undefined
  /** `stock`: what there is at the end of each month, drawn as steps that touch; `flow`: what came in it, as bars. */
  readonly measure: 'stock' | 'flow'
}

/** A chart as its view draws it, and the same numbers as a table. Across it is measured in per cent, down in pixels. */
export type Chart = {
  readonly height: number
  readonly axis: number
  readonly labelAt: number
  readonly columns: readonly {
    readonly name: string
    readonly month: string
    readonly path: string | undefined
    readonly left: string
    readonly width: string
    readonly middle: string
    /** Empty where totals would overlap; the column's name has it. */
    readonly total: string
    readonly totalAt: string
    /** Where there is little room, this total is left out; where there is hardly any, the name of every second month. */
    readonly isSpare: boolean
    readonly isSecond: boolean
    readonly parts: readonly {
      readonly series: string
      readonly left: string
      readonly width: string
      readonly top: string
      readonly height: string
    }[]
  }[]
  /** With the last value of a stock. */
  readonly kinds: readonly { readonly name: string; readonly series: string; readonly last: Cell | undefined }[]
  readonly table: readonly { readonly month: string; readonly cells: readonly Cell[]; readonly total: Cell }[]
}

type Cell = { readonly text: string; readonly path: string | undefined }

const size = { height: 198, axis: 172.5, labelAt: 190 } as const
/** The height of the highest column, without the gaps between its parts. */
const highest = 140
const gap = 1
/** The least height of a part, so that small numbers stay visible. */
const leastHeight = 1
/** Fewer months do not make columns wider than this many do. */
const fewestColumns = 6
/** The share of its place that a bar takes; steps overlap a little, so that no line shows between them. */
const [barShare, stepShare] = [0.6, 1.01]
/** Every so many totals are shown where there is no room for all. */
const totalEvery = 3
/** Totals of so many characters do not fit above each column, even on a wide screen. */
const longTotal = 6

/** A column for each month, whose parts are stacked. */
export function chartOf(numbers: Numbers, { number, month: monthName }: Format): Chart {
  const { months, kinds, at, pathOf, measure } = numbers
  const totalOf = (month: string): number => kinds.reduce((sum, { key }) => sum + at(month, key), 0)
  const scale = highest / Math.max(1, ...months.map(totalOf))
  const slot = 100 / Math.max(months.length, fewestColumns)
  const share = measure === 'stock' ? stepShare : barShare
  const areLong = months.some((month) => number(totalOf(month)).length >= longTotal)
  const cellOf = (month: string, value: number, kind?: string): Cell => ({
    text: number(value),
    path: value > 0 ? pathOf(month, kind) : undefined,
  })
  const columns = months.map((month, index) => {
    const left = 100 - (months.length - index) * slot
    const partLeft = left + (slot * (1 - Math.min(1, share))) / 2
    const isThird = (months.length - 1 - index) % totalEvery === 0
    let top: number = size.axis - 1.5
    const parts = kinds.flatMap(({ key, series }) => {
      const value = at(month, key)
      if (value <= 0) return []
      const height = Math.max(leastHeight, value * scale)
      top -= height
      const part = { series, left: percent(partLeft), width: percent(slot * share), top: pixels(top) }
      top -= gap
      return [{ ...part, height: pixels(height) }]
    })
    const total = cellOf(month, totalOf(month))
    return {
      name: `${monthName(month)}: ${total.text}`,
      // Short names have up to six letters in some languages, which is more than there is room for.
      month: monthName(month, 'short').slice(0, 3),
      path: total.path,
      left: percent(left),
      width: percent(slot),
      middle: percent(left + slot / 2),
      total: areLong && !isThird ? '' : total.text,
      totalAt: pixels(top - 5),
      isSpare: measure === 'stock' && !isThird,
      isSecond: (months.length - 1 - index) % 2 === 1,
      parts,
    }
  })
  const last = months.at(-1) ?? ''
  return {
    ...size,
    columns,
    kinds: kinds.map(({ key, name, series }) => ({
      name,
      series,
      last: measure === 'stock' ? cellOf(last, at(last, key), key) : undefined,
    })),
    table: months.map((month) => ({
      month: monthName(month),
      cells: kinds.map(({ key }) => cellOf(month, at(month, key), key)),
      total: cellOf(month, totalOf(month)),
    })),
  }
}

function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`
}

function pixels(value: number): string {
  return value.toFixed(1)
}
