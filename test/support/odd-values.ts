/** Every type of JSON value, with its name, as JSON text: numbers keep their spelling, and members can be doubled. */
export const oddValues: readonly (readonly [name: string, json: string])[] = [
  ['null', 'null'],
  ['true', 'true'],
  ['zero', '0'],
  ['a negative fraction', '-1.5'],
  ['a huge number', '1e400'],
  ['empty text', '""'],
  ['text', '"x"'],
  ['long text', JSON.stringify('long '.repeat(4000))],
  ['huge text', JSON.stringify('long '.repeat(20_000))],
  ['an empty list', '[]'],
  ['a list of null', '[null]'],
  ['an empty object', '{}'],
  ['an object', '{"a":1}'],
  ['an object of null', '{"a":null}'],
  ['deep nesting', `${'['.repeat(40)}null${']'.repeat(40)}`],
]

/** A record with one member replaced; `doubled` sends the member twice, `missing` not at all. */
export type OddRecord = { readonly what: string; readonly member: string; readonly json: string }

/**
 * The record with each member in turn replaced by each value, left out, and doubled. Members of members are named by
 * path: `businessAddress.lines.0`.
 */
export function oddRecords(record: object, members: readonly string[]): OddRecord[] {
  return members.flatMap((member) => [
    ...oddValues.map(([what, json]) => ({ what, member, json: replaced(record, member, json) })),
    { what: 'missing', member, json: replaced(record, member, undefined) },
    ...(member.includes('.')
      ? []
      : [{ what: 'doubled', member, json: `{"${member}":{"a":null},${JSON.stringify(record).slice(1)}` }]),
  ])
}

const mark = 'the odd value of the tests'

function replaced(record: object, member: string, json: string | undefined): string {
  const copy: unknown = structuredClone(record)
  const names = member.split('.')
  const last = names.pop() ?? ''
  let parent = copy as Record<string, unknown>
  for (const name of names) parent = parent[name] as Record<string, unknown>
  if (json === undefined) Reflect.deleteProperty(parent, last)
  else parent[last] = mark
  return JSON.stringify(copy).replace(`"${mark}"`, () => json ?? '')
}
