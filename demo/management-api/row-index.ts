type Index = {
  readonly length: number
  readonly first: unknown
  readonly last: unknown
  /** Where the rows of each key stand. */
  readonly places: ReadonlyMap<string, readonly number[]>
}

/** Finds the rows of a key, in their order. */
export type FindRows<Row> = (rows: readonly Row[], key: string) => readonly Row[]

/**
 * Finds rows by key at once, however many there are: a sync of a large partner asks for every one of them. The rows
 * may change meanwhile, as the demo world does: what is found is looked at again before it is believed.
 * @param options.mostHaveNone believes that there is no such row while the number of rows, the first and the last are
 *   what they were; otherwise all rows are looked through once more, which is slow but rare
 */
export function createRowIndex<Row>(
  keyOf: (row: Row) => string,
  options: { readonly mostHaveNone: boolean } = { mostHaveNone: false },
): FindRows<Row> {
  const indexes = new WeakMap<readonly Row[], Index>()
  const rebuilt = (rows: readonly Row[]): Index => {
    const index = build(rows, keyOf)
    indexes.set(rows, index)
    return index
  }
  const at = (rows: readonly Row[], places: readonly number[] = []): Row[] =>
    places.flatMap((place) => rows[place] ?? [])

  return (rows, key) => {
    const known = indexes.get(rows)
    const isSame = known?.length === rows.length && known.first === rows[0] && known.last === rows.at(-1) && known
    const index = isSame || rebuilt(rows)
    const found = at(rows, index.places.get(key))
    const isTrue =
      found.length === 0
        ? options.mostHaveNone || !rows.some((row) => keyOf(row) === key)
        : found.every((row) => keyOf(row) === key)
    return isTrue ? found : at(rows, rebuilt(rows).places.get(key))
  }
}

function build<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Index {
  const places = new Map<string, number[]>()
  for (const [place, row] of rows.entries()) {
    const key = keyOf(row)
    const known = places.get(key)
    if (known) known.push(place)
    else places.set(key, [place])
  }
  return { length: rows.length, first: rows[0], last: rows.at(-1), places }
}
