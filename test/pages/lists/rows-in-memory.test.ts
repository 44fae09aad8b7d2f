import { expect, it } from 'vitest'
import { rowsSorted } from '../../../src/pages/lists/rows-in-memory.ts'

const rows = [{ id: 1, name: 'Ål' }, { id: 2 }, { id: 3, name: 'Bø' }, { id: 4, name: '' }]

it.each([
  [false, [3, 1, 2, 4]],
  [true, [1, 3, 2, 4]],
])('sorts rows without a text last: descending %s', (descending, ids) => {
  expect(rowsSorted(rows, ({ name }) => name, { descending }).map(({ id }) => id)).toEqual(ids)
})
