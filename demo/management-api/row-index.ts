type Index = {
  readonly length: number
  readonly first: unknown
  readonly last: unknown
  /** The positions of the rows of each key. */
  readonly places: ReadonlyMap<string, readonly number[]>
}

/** Finds the rows of a key, in their order. */
export type FindRows<Row> = (rows: readonly Row[], key: string) => readonly Row[]

/**
 * Finds rows by key with an index, because a sync of a large partner requests every row. The rows may change, as in the
 * demo world, so every result is checked before it is returned.
 * @param options.mostHaveNone trusts that a key has no rows while the number of rows, the first and the last are
 * unchanged; otherwise all rows are scanned, which is slow but rare
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
    const isCurrent =
      found.length === 0
        ? options.mostHaveNone || !rows.some((row) => keyOf(row) === key)
        : found.every((row) => keyOf(row) === key)
    return isCurrent ? found : at(rows, rebuilt(rows).places.get(key))
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
