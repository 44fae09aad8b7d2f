import { max, sum } from 'd3-array'
import { scaleBand, scaleLinear } from 'd3-scale'
import { area, curveMonotoneX, stack } from 'd3-shape'
import type { Format } from '../../presentation/format.ts'

/** The data of a chart: numbers by month and kind. Kinds are stacked in this order, from below. */
export type Numbers = {
  /** Such as 2026-11, the oldest first. */
  readonly months: readonly string[]
  readonly kinds: readonly { readonly key: string; readonly name: string }[]
  readonly at: (month: string, kind: string) => number
  /** The path of the list with the rows of a month, or of a month and kind; below the organisation's section. */
  readonly pathOf?: (month: string, kind: string) => string
}

type Column = {
  readonly month: string
  readonly total: string
  readonly path: string | undefined
  readonly x: number
  readonly width: number
  /** The position of the month's label; some months have none, so that labels do not overlap in any language. */
  readonly middle: number
  readonly label: string | undefined
  readonly bars: readonly { readonly kind: string; readonly y: number; readonly height: number }[]
}

/** A chart as its view draws it, in SVG units, and the same numbers as a table. */
export type Chart = {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly base: number
  readonly ticks: readonly { readonly y: number; readonly label: string }[]
  readonly columns: readonly Column[]
  /** The stack as areas, for continuous numbers; the `d` of a path. */
  readonly areas: readonly { readonly kind: string; readonly d: string }[]
  readonly kinds: Numbers['kinds']
  readonly table: readonly {
    readonly month: string
    readonly cells: readonly Cell[]
    readonly total: Cell
  }[]
}

type Cell = { readonly text: string; readonly path: string | undefined }

const size = { width: 440, height: 220, left: 44, right: 432, top: 12, base: 192 }
const labelEvery = 3
/** The least height of a part, so that small numbers stay visible. */
const leastHeight = 1.5

/** A stack of columns for each month, and areas through their middles. */
export function chartOf(numbers: Numbers, format: Format): Chart {
  const { months, kinds, at, pathOf } = numbers
  const { left, right, top, base } = size
  const keys = kinds.map(({ key }) => key)
  const totalOf = (month: string): number => sum(keys, (key) => at(month, key))
  const x = scaleBand(months, [left, right]).padding(0.25)
  const y = scaleLinear([0, Math.max(1, max(months, totalOf) ?? 1)], [base, top]).nice(4)
  const middleOf = (month: string): number => (x(month) ?? left) + x.bandwidth() / 2
  const cellOf = (month: string, kind: string, value: number): Cell => ({
    text: format.number(value),
    path: value > 0 ? pathOf?.(month, kind) : undefined,
  })
  const layers = stack<string>().keys(keys).value(at)([...months])
  const shape = area<{ readonly data: string; readonly 0: number; readonly 1: number }>(
    ({ data }) => middleOf(data),
    (point) => y(point[0]),
    (point) => y(point[1]),
  ).curve(curveMonotoneX)
  return {
    ...size,
    ticks: y
      .ticks(4)
      .filter(whole)
      .map((tick) => ({ y: y(tick), label: format.number(tick) })),
    columns: months.map((month, index) => ({
      month: format.month(month),
      total: format.number(totalOf(month)),
      path: totalOf(month) > 0 ? pathOf?.(month, '') : undefined,
      x: x(month) ?? left,
      width: x.bandwidth(),
      middle: middleOf(month),
      label: (months.length - 1 - index) % labelEvery === 0 ? format.month(month, 'short') : undefined,
      bars: layers.flatMap((layer) => {
        const [from, to] = layer[index] ?? [0, 0]
        const height = Math.max(leastHeight, y(from) - y(to))
        return to > from ? [{ kind: layer.key, y: y(from) - height, height }] : []
      }),
    })),
    areas: layers.map((layer) => ({ kind: layer.key, d: shape(layer) ?? '' })),
    kinds,
    table: months.map((month) => ({
      month: format.month(month),
      cells: keys.map((key) => cellOf(month, key, at(month, key))),
      total: cellOf(month, '', totalOf(month)),
    })),
  }
}

function whole(value: number): boolean {
  return Number.isInteger(value)
}
