import { beforeEach, describe, expect, it } from 'vitest'
import { createRowIndex } from '../../demo/management-api/row-index.ts'

type Row = { key: string; name: string }
function row(key: string, name = key): Row {
  return { key, name }
}

describe.each([{ mostHaveNone: false }, { mostHaveNone: true }])('an index, %o', (options) => {
  let rows: Row[]
  let looked: number
  let find: (key: string) => readonly Row[]
  beforeEach(() => {
    rows = Array.from({ length: 100 }, (_, index) => row(`k${index}`))
    looked = 0
    const index = createRowIndex<Row>(({ key }) => {
      looked += 1
      return key
    }, options)
    find = (key) => index(rows, key)
    find('k0')
    looked = 0
  })

  it('finds a row without reading the others', () => {
    expect(find('k50')).toEqual([row('k50')])
    expect(looked).toBe(1)
  })

  it('finds pushed, spliced and replaced rows', () => {
    rows.push(row('new'))
    expect(find('new')).toEqual([row('new')])
    rows.splice(10, 0, row('inside'))
    expect(find('inside')).toEqual([row('inside')])
    expect(find('k50')).toEqual([row('k50')])
    rows.splice(20, 1)
    rows.push(row('moved'))
    expect(find('moved')).toEqual([row('moved')])
    expect(find('k50')).toEqual([row('k50')])
  })

  it('does not find removed rows and rows with a changed key', () => {
    rows.splice(50, 1)
    expect(find('k50')).toEqual([])
    const [first] = find('k60')
    if (first) first.key = 'other'
    expect(find('k60')).toEqual([])
    expect(find('other')).toEqual([row('other', 'k60')])
  })

  it('finds all current rows of a key in order', () => {
    rows.push(row('k3', 'second'))
    expect(find('k3').map(({ name }) => name)).toEqual(['k3', 'second'])
    rows.splice(3, 1, row('k3', 'changed'))
    expect(find('k3').map(({ name }) => name)).toEqual(['changed', 'second'])
  })

  it('is rebuilt for another array', () => {
    rows = [row('k50', 'another')]
    expect(find('k50')).toEqual([row('k50', 'another')])
  })
})

it('an index finds a replaced row when nothing else has changed', () => {
  const find = createRowIndex<Row>(({ key }) => key)
  const rows = [row('a'), row('b'), row('c')]
  find(rows, 'a')
  rows.splice(1, 1, row('x'))
  expect(find(rows, 'x')).toEqual([row('x')])
})

it('an index does not read all rows for a key that most rows lack', () => {
  let looked = 0
  const find = createRowIndex<Row>(
    ({ key }) => {
      looked += 1
      return key
    },
    { mostHaveNone: true },
  )
  const rows = [row('a'), row('b'), row('c')]
  find(rows, 'a')
  looked = 0
  expect(find(rows, 'none')).toEqual([])
  expect(looked).toBe(0)
})
