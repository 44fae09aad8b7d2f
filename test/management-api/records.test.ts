import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { UpstreamUnavailableError } from '../../src/errors.ts'
import { listProductOrderTemplates } from '../../src/management-api/product-order-templates.ts'
import { type ListPlace, type RawRecord, readRecords, UnreadableListError } from '../../src/management-api/records.ts'
import { getSalesUnit, listSalesUnits } from '../../src/management-api/sales-units.ts'
import { listWebhooks } from '../../src/management-api/webhooks.ts'
import { createFixture, numbers, rejection, salesUnitsPath } from '../support/management-api-client.ts'

async function read(text: string | Buffer, place: ListPlace = {}, signal?: AbortSignal): Promise<RawRecord[]> {
  const records: RawRecord[] = []
  for await (const batch of readRecords(Buffer.from(text), place, signal)) records.push(...batch)
  return records
}

async function values(text: string, place?: ListPlace) {
  return (await read(text, place)).map(({ value }) => value)
}

const texts = ['', 'a', '"', '\\', '\\"', '[', ']}', '{,:', 'é', '😀', '\n', '\u2028', '\\u0041', 'x'.repeat(300)]
/** JSON.parse of V8 13.6 confuses names that begin with a backslash. */
const names = texts.filter((text) => !text.startsWith('\\'))

function valueOf(below: (limit: number) => number, depth: number): unknown {
  const kind = below(depth > 4 ? 5 : 7)
  if (kind === 0) return texts[below(texts.length)]
  if (kind < 5) return [null, true, false, below(1000) / 8 - 30][kind - 1]
  const members = Array.from({ length: below(4) }, () => valueOf(below, depth + 1))
  return kind === 5 ? members : Object.fromEntries(members.map((member) => [names[below(names.length)], member]))
}

function spaced(value: unknown, below: (limit: number) => number): string {
  return JSON.stringify(value, undefined, [undefined, 1, '\t', ' \r\n'][below(4)])
}

test('valid JSON is parsed like JSON.parse does, in any formatting', async () => {
  const below = numbers(11)
  for (let round = 0; round < 500; round += 1) {
    const list = Array.from({ length: below(12) }, () => valueOf(below, 0))
    expect(await values(spaced(list, below))).toEqual(list)
    const inside = { a: valueOf(below, 3), items: list, z: [list] }
    expect(await values(spaced(inside, below), { member: 'items' })).toEqual(list)
  }
})

test('JSON that is truncated or broken anywhere is refused like JSON.parse does', async () => {
  const text = `{"a":[1,{"b":"]"}],"items":[{"id":"\\"x"},[1,-2.5e3],"y",null,true],"c":{}}`
  const below = numbers(12)
  const parsed = (body: string): unknown => {
    try {
      const list: unknown = JSON.parse(body || '{"items":[]}').items
      return Array.isArray(list) ? list : 'no list'
    } catch {
      return 'no list'
    }
  }
  const scanned = async (body: string): Promise<unknown> =>
    values(body, { member: 'items' }).catch((error: unknown) => {
      return error instanceof UnreadableListError ? 'no list' : error
    })
  for (let at = 0; at < text.length; at += 1)
    for (const body of [text.slice(0, at), text.slice(0, at) + '[]{}",:\\1 x'[below(11)] + text.slice(at + 1)])
      expect([body, await scanned(body)]).toEqual([body, parsed(body)])
})

test.each([
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1]]',
  '[1],',
  '[1]x',
  'x[1]',
  '[{]}',
  '[1}',
  '[',
  '[1',
  '["',
  '["\\',
  '{}',
  '7',
  '"[1]"',
  '[nul]',
  '['.repeat(100_000),
])('an invalid list is refused: %.20s', async (text) => {
  expect(await rejection(read(text))).toBeInstanceOf(UnreadableListError)
})

test.each(['', ' \n', 'null', '[]', ' [ \n ] ', '\uFEFF[]', '\uFEFF'])('an empty list is parsed: %j', async (text) => {
  expect(await read(text)).toEqual([])
})

test('a byte order mark and multi-byte characters are parsed', async () => {
  expect(await values('\uFEFF[{"name":"Kårstø 😀"}]')).toEqual([{ name: 'Kårstø 😀' }])
})

test('the list is the top-level member, and a duplicate or nested one is refused', async () => {
  const place = { member: 'items' }
  expect(await values('{"x":{"items":[1]},"y":"items","items":[2]}', place)).toEqual([2])
  for (const body of ['[{"items":[1]}]', '{"items":[1],"items":[2]}', '{"items":{}}', '{"items":null}', '{}', 'null'])
    expect(await rejection(read(body, place))).toBeInstanceOf(UnreadableListError)
})

test('too much or too deeply nested data beside the list is refused', async () => {
  for (const beside of [`"${'x'.repeat(300_000)}"`, '['.repeat(51) + ']'.repeat(51)])
    for (const body of [`{"a":${beside},"items":[1]}`, `{"items":[1],"a":${beside}}`])
      expect(await rejection(read(body, { member: 'items' }))).toBeInstanceOf(UnreadableListError)
})

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`
}

test('a record that is too large, too deep or oddly named is skipped, with its ID known', async () => {
  const large = `"${'x'.repeat(256 * 1024)}"`
  const odd = (name: string) => `{"id":"n","more":[{"${name}":1}]}`
  const body = `[{"id":"a","b":${large}},${large},{"b":${large},"id":"c"},{"id":5,"b":${nested(50)}},{"id":"d","b":${nested(49)}},
    ${odd(String.raw`\u0000`)},${odd(String.raw`a\uD800`)},${odd(String.raw`\ud83d\ude00`)},{"id":{"id":1},"b":${nested(50)}},{"id":"z"}]`
  expect(await read(body, { idMember: 'id' })).toEqual([
    { problem: 'row: too large', value: { id: 'a' } },
    { problem: 'row: too large', value: undefined },
    { problem: 'row: too large', value: undefined },
    { problem: 'row: nested too deep', value: { id: 5 } },
    { value: { id: 'd', b: JSON.parse(nested(49)) } },
    { problem: 'row: member name', value: { id: 'n' } },
    { problem: 'row: member name', value: { id: 'n' } },
    { value: { id: 'n', more: [{ '😀': 1 }] } },
    { problem: 'row: nested too deep', value: undefined },
    { value: { id: 'z' } },
  ])
})

test('parsing yields to the event loop in long lists, records and white space', async () => {
  const bodies = [
    `[${Array.from({ length: 60_000 }, (_, id) => `{"id":"${id}","name":"Kiosk"}`).join()}]`,
    `["${'x'.repeat(8_000_000)}"]`,
    `[${' '.repeat(8_000_000)}]`,
  ]
  for (const body of bodies) {
    let turns = 0
    const count = setInterval(() => (turns += 1), 0)
    await read(body)
    clearInterval(count)
    expect(turns).toBeGreaterThan(1)
  }
})

test('parsing rejects with the reason of the signal', async () => {
  const body = `[${'{"id":1},'.repeat(200_000)}1]`
  const reason = new Error('enough')
  const reading = rejection(read(body, {}, AbortSignal.timeout(0)))
  expect(await reading).toMatchObject({ name: 'TimeoutError' })
  expect(await rejection(read(body, {}, AbortSignal.abort(reason)))).toBe(reason)
})

test('known rows are not parsed; other rows are, with their record', async () => {
  const { client, upstream } = await createFixture()
  const body = [{ msn: 1, name: 'a' }, { msn: 2, name: 7 }, null, [], { msn: 3, name: 'c' }, { msn: [4] }]
  upstream.answer(salesUnitsPath, { body })
  const asked: unknown[] = []
  const taken: unknown[] = []
  const isKnown = (raw: Readonly<Record<string, unknown>>) => {
    asked.push(raw['msn'])
    return raw['msn'] === 2
  }
  const takeRecord = (row: unknown, raw: unknown) => void taken.push([row, raw])
  const { rows, malformed } = await listSalesUnits(client, { begin: async () => ({ isKnown, take: takeRecord }) })
  expect(asked).toEqual([1, 2, 3, [4]])
  expect(taken).toEqual([
    [{ msn: '1', name: 'a' }, body[0]],
    [{ msn: '3', name: 'c' }, body[4]],
  ])
  expect({ rows, malformed }).toEqual({ rows: [], malformed: [undefined, undefined, undefined] })
})

test('a list whose rows are not needed is not parsed; the digest of its bytes tells', async () => {
  const { client, upstream } = await createFixture()
  const digests: string[] = []
  const begin = async (digest: string) => {
    digests.push(digest)
    return undefined
  }
  for (const body of ['[{"msn":1}]', '[{"msn":1}]', '[{"msn":2}]', 'no list']) {
    upstream.answer(salesUnitsPath, { body })
    expect(await listSalesUnits(client, { begin })).toEqual({ rows: [], malformed: [] })
  }
  expect(new Set(digests).size).toBe(3)
  expect(digests[0]).toBe(digests[1])
})

test('records over a limit are counted in the log by reason', async () => {
  const { client, upstream, log } = await createFixture()
  const row = { id: 'a', url: 'https://a.example', events: [] }
  const deep = JSON.stringify({ ...row, id: 'b', more: 0 }).replace('0', nested(60))
  upstream.answer('/webhooks/v1/webhooks', { body: `{"webhooks":[${JSON.stringify(row)},${deep}]}` })
  expect(await listWebhooks(client)).toEqual({ rows: [row], malformed: [{ id: 'b' }] })
  expect(log().at(-1)).toMatchObject({
    purpose: 'webhooks',
    skipped: 1,
    reasons: { 'row: nested too deep': 1 },
  })
})

test.each([
  ['too large', `"${'x'.repeat(256 * 1024)}"`],
  ['nested too deep', nested(50)],
  ['oddly named', String.raw`{"\u0000":1}`],
])('a sales unit that is %s is an invalid response', async (_name, more) => {
  const { client, upstream } = await createFixture()
  const body = `{"msn":"1","name":"x","businessIdentifier":{"scheme":"s","id":"1"},"more":${more}}`
  upstream.answer(`${salesUnitsPath}/1`, { body })
  expect(await rejection(getSalesUnit(client, '1'))).toBeInstanceOf(UpstreamUnavailableError)
  upstream.answer(`${salesUnitsPath}/1`, { body: `\uFEFF${body.replace(more, nested(49))}` })
  expect((await getSalesUnit(client, '1')).name).toBe('x')
})

test('a decompression bomb is stopped at the size limit', async () => {
  const { client, upstream } = await createFixture()
  const part = gzipSync(Buffer.alloc(16 * 1024 * 1024, '['))
  const body = gzipSync(Buffer.concat(Array.from({ length: 256 }, () => part)))
  expect(body.byteLength).toBeLessThan(61 * 1024)
  upstream.answer(salesUnitsPath, { headers: { 'content-encoding': 'gzip, gzip' }, body })
  const before = process.memoryUsage().rss
  let most = before
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 1)
  const error = await rejection(listSalesUnits(client))
  clearInterval(watch)
  expect(error).toMatchObject({ cause: new Error('response too large') })
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
  expect((most - before) / 1024 / 1024).toBeLessThan(256)
})

test('concurrent responses share one memory limit', async () => {
  const { client, upstream } = await createFixture({ limits: { maxBytesInFlight: 1_500_000 } })
  const row = { templateId: 'a', name: 'x'.repeat(100) }
  const body = Array.from({ length: 8000 }, () => row)
  upstream.answer('/management/v1/product-order-templates', { body })
  const lists = await Promise.allSettled([1, 2, 3].map(() => listProductOrderTemplates(client)))
  const refused = lists.filter(({ status }) => status === 'rejected')
  expect(refused.length).toBeGreaterThan(0)
  for (const list of refused) expect(list).toMatchObject({ reason: { cause: new Error('too many bytes in flight') } })
  expect((await listProductOrderTemplates(client)).rows).toHaveLength(8000)
})
