import { buffer, text } from 'node:stream/consumers'
import { inflateRawSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { readXlsx } from 'hucre/xlsx'
import { describe, expect, it } from 'vitest'
import { type Content, csv, xlsx } from '../../../src/pages/lists/export-formats.ts'

const signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '⁼', '₊', '−', '﬩']
const blanks = [
  '',
  ' ',
  '\t',
  '\r',
  '\n',
  '\u{A0}',
  '\u3000',
  '\u2007',
  '\u200B',
  '\uFEFF',
  '\u00AD',
  '\u2060',
  '\u3164',
  '\u202E',
]
const breaks = [
  '\n',
  '\r',
  '\r\n',
  '\v',
  '\f',
  '\x1C',
  '\u0085',
  '\u2028',
  '\u2029',
  '\0',
  '\x1B',
  '\x7F',
  '\x9B',
  '\u2066',
]
const separators = [',', ';', '\t', '|']
const quotes = ['', '"', '""', '"""', ' "', '";"', '","', "'"]

/** Every combination of a start, a separator, a blank, a quote and a sign, and a long text of random parts. */
const nasty: string[] = [
  ...signs.flatMap((sign) =>
    blanks.flatMap((blank) => [`${blank}${sign}1+1`, `${blank}${blank}${sign}cmd|'/c calc'!A1`]),
  ),
  ...separators.flatMap((separator) =>
    blanks.flatMap((blank) =>
      quotes.flatMap((quote) =>
        ['=', '＋'].map((sign) => `a${separator}${blank}${quote}${blank}${sign}40+6${separator}b`),
      ),
    ),
  ),
  ...breaks.flatMap((end) => ['a', 'a"', '"', ''].map((start) => `${start}${end}=1+1`)),
  ...randomTexts(2000),
]

function randomTexts(count: number): string[] {
  const parts = [...signs.slice(0, 6), ...blanks, ...breaks, ...separators, ...quotes, 'a', 'Ø', '1', "'", '\u{1F600}']
  // A linear congruential generator, so that a failure can be repeated.
  let state = 42
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + next(9) }, () => parts[next(parts.length)] ?? '').join(''),
  )
}

function contentOf(rows: readonly (readonly string[])[], count = rows.length, kinds: Content['kinds'] = []): Content {
  async function* batches() {
    yield rows
  }
  const headings = ['Name', 'MSN', 'Text'].slice(0, rows[0]?.length)
  return { title: 'Sales units', headings, kinds, count, batches: batches() }
}

async function fileOf(rows: readonly (readonly string[])[], language: string): Promise<string> {
  return (await text(await csv.write(contentOf(rows), language))).replace(/^\uFEFF/, '')
}

/**
 * The cells of a file as a spreadsheet splits it at `separator`. A quote at the start of a cell hides separators and line
 * breaks until the next single quote; what follows up to the separator belongs to the cell as well.
 */
function cellsOf(file: string, separator: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let at = 0
  const endRow = (): void => {
    rows.push([...row, cell])
    row = []
    cell = ''
  }
  while (at < file.length) {
    if (file[at] === '"' && cell === '') {
      at += 1
      while (at < file.length && !(file[at] === '"' && file[at + 1] !== '"')) {
        cell += file[at]
        at += file[at] === '"' ? 2 : 1
      }
      at += 1
    }
    while (at < file.length && file[at] !== separator && !/[\n\r\v\f\u0085\u2028\u2029]/.test(file[at] ?? '')) {
      cell += file[at]
      at += 1
    }
    if (file[at] === separator) {
      row.push(cell)
      cell = ''
    } else {
      if (file[at] === '\r' && file[at + 1] === '\n') at += 1
      endRow()
    }
    at += 1
  }
  return rows
}

/** Whether any spreadsheet could run the cell: white space and invisible characters skipped, wide letters narrowed. */
function isFormula(cell: string): boolean {
  return /^[=+\-@−]/.test(cell.replace(/^[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]+/u, '').normalize('NFKC'))
}

describe('a CSV file of any texts', () => {
  it.each(['en', 'nb'])('has no formula and no row of its own, whatever separates the cells: %s', async (language) => {
    const rows = nasty.map((value, index) => [value, String(index), value])
    const file = await fileOf(rows, language)
    expect(file.split('\r\n')).toHaveLength(nasty.length + 2)
    expect(file.replaceAll('\r\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u)
    for (const separator of separators) {
      const cells = cellsOf(file, separator)
      expect([separator, cells.flat().filter(isFormula)]).toEqual([separator, []])
      expect([separator, cells.length]).toEqual([separator, nasty.length + 1])
    }
    const delimiter = language === 'en' ? ',' : ';'
    const table: string[][] = parse(file, { delimiter })
    expect(cellsOf(file, delimiter)).toEqual(table)
    expect(table.slice(1).map(([, index]) => Number(index))).toEqual([...nasty.keys()])
  })

  it('keeps ordinary texts and digits as they are', async () => {
    const plain = [
      'Café "Solsiden" & Sønn, avd. 2',
      'A/S – Nord-Norge',
      'a=b',
      "O'Neill; Dublin",
      '124680',
      '',
      'नमस्ते 👩‍🍳',
      '007',
    ]
    const file = await fileOf([plain], 'en')
    expect(parse(file, { from_line: 2 })[0]).toEqual(plain)
    expect(file.split('\r\n')[1]).toMatch(/^"[^\r]*","124680","","[^"]*","007"$/)
  })

  it.each([
    ['a\n=1+1', 'a =1+1'],
    ['a;=40+6', "a;'=40+6"],
    ['=1+1', "'=1+1"],
    ['\u{A0}\u200B＝1+1', "\u{A0}\u200B'＝1+1"],
    ['a;"=1', `a;'"=1`],
    ['a; ', "a; '"],
    ['-2', "'-2"],
  ])('writes %j as %j', async (value, written) => {
    expect(parse(await fileOf([[value]], 'en'))[1]).toEqual([written])
  })

  it.each(['é', ';=', ';"', 'a;', '\n;'])('cuts a text of many %j, which would fill the next rows', async (part) => {
    const file = await fileOf([[part.repeat(32_765 / part.length)], [part.repeat(40_000)]], 'en')
    const cells: string[][] = parse(file)
    expect(cells.slice(1).map(([cell]) => (cell?.length ?? 0) <= 32_767)).toEqual([true, true])
    expect(cells[2]?.[0]?.endsWith('…')).toBe(true)
    for (const separator of separators) expect([separator, cellsOf(file, separator).length]).toEqual([separator, 3])
  })
})

describe('an Excel file', () => {
  it('has dates and percentages as numbers, a bold head with a filter, and widths', async () => {
    const rows = [
      ['Kasse', '2026-10-01', '2,5 %'],
      ['Uten', '2026-02-31T', 'None'],
    ]
    const bytes = await buffer(await xlsx.write(contentOf(rows, 2, [undefined, 'date', 'percentage']), 'en'))
    const { sheets } = await readXlsx(bytes, { readStyles: true })
    expect(sheets[0]?.rows[1]).toEqual(['Kasse', new Date('2026-10-01T00:00:00Z'), 0.025])
    expect(sheets[0]?.rows[2]?.[2]).toBe('None')
    expect(sheets[0]?.autoFilter?.range).toBe('A1:C3')
    expect(sheets[0]?.cells?.get('0,0')?.style?.font?.bold).toBe(true)
    expect(sheets[0]?.columns?.map(({ width = 0 }) => width >= 12)).toEqual([true, true, true])
  })
})

describe.each([
  ['made in memory', 0],
  ['streamed', 10_000],
])('an Excel file of any texts, %s', (_how, count) => {
  const rowsOf = async (rows: readonly (readonly string[])[]) => sheetRows(await bytesOf(rows, count))

  it.each([
    '_x000D_',
    '_x000d_x0041_',
    'a_x005F_x000D_b',
    '__x000D__',
    'a\r\nb\x01\x1F',
    ' a ',
    '<&>"\']]>',
    '=1+1',
    '\u{1F600}\u{10FFFF}\u0085\u2028',
  ])('keeps %j', async (value) => {
    expect((await rowsOf([[value]]))[1]).toEqual([value])
  })

  it.each([
    ['\uFFFE and \uFFFF', '\uFFFD and \uFFFD'],
    ['half \uD83D', 'half \uFFFD'],
    ['nothing \0', 'nothing \uFFFD'],
    ['x'.repeat(40_000), `${'x'.repeat(32_766)}…`],
    [`${'x'.repeat(32_765)}\u{1F600}x`, `${'x'.repeat(32_765)}\uFFFD…`],
  ])('replaces what XML or Excel cannot have', async (value, kept) => {
    expect((await rowsOf([[value]]))[1]).toEqual([kept])
  })

  it('has only characters of XML 1.0', async () => {
    const every = Array.from({ length: 256 }, (_, block) =>
      String.fromCharCode(...Array.from({ length: 256 }, (__, low) => block * 256 + low)),
    )
    const sheet = sheetXml(
      await bytesOf(
        [...every, ...nasty].map((value) => [value]),
        10_000,
      ),
    )
    expect(sheet).not.toMatch(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u)
    expect(sheet).toContain('inlineStr')
  })
})

async function bytesOf(rows: readonly (readonly string[])[], count: number): Promise<Buffer> {
  return buffer(await xlsx.write(contentOf(rows, count), 'en'))
}

async function sheetRows(bytes: Buffer) {
  const { sheets } = await readXlsx(bytes)
  return sheets[0]?.rows ?? []
}

/** The XML of the sheet, which is the first entry of the ZIP file. */
function sheetXml(zip: Buffer): string {
  const start = 30 + zip.readUInt16LE(26) + zip.readUInt16LE(28)
  return inflateRawSync(zip.subarray(start)).toString()
}
