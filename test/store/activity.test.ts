import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Partner } from '../../src/domain/organisation.ts'
import {
  type ChangeFilter,
  type ChangeGroup,
  countChanges,
  everyChange,
  findChanges,
  ofResources,
  searchChanges,
} from '../../src/store/activity.ts'
import type { ChangeKind } from '../../src/store/changes.ts'
import type { Database } from '../../src/store/database.ts'
import { openTestDatabase } from '../support/database.ts'

const partner: Partner = { kind: 'partner', id: '12345', name: 'Nordlys' }
const limit = 51

/** Names of 7,000 sales units: of some there are few, of some so many that the store does not look at each of them. */
const names = Array.from({ length: 7000 }, (_, unit) => {
  if (unit < 3200) return 'Nattklubb'
  if (unit < 3500) return 'Moss'
  return `${unit < 6900 ? 'Kafé' : 'Kiosk'} ${unit % 4 === 0 ? 'Bergen' : ''} ${unit % 50 === 0 ? 'Tromsø' : ''}`
})

type Made = { resource: string; unit: number; kind: ChangeKind; minute: number; alike: number }

/** 14,000 changes, ten a minute. The newest 9,000 are, but for one in a hundred, of other sales units than the oldest. */
const ofUnits = Array.from({ length: 14_000 }, (_, number): Made => {
  const isOld = number < 5000 || number % 100 === 50
  const unit = ((number * 11) % 3500) + (isOld ? 0 : 3500)
  const isRemoved = number % 40 === 3
  // Changes of different kinds are never alike.
  const alike = (number % 3) + (isRemoved ? 3 : 0)
  return {
    resource: 'salesUnit',
    unit,
    kind: isRemoved ? 'removed' : 'changed',
    minute: Math.floor(number / 10),
    alike,
  }
})

/** The merchants of some of the oldest ones change in the same minutes. */
const ofMerchants = Array.from({ length: 300 }, (_, minute): Made => ({
  resource: 'merchant',
  unit: minute % 60,
  kind: 'changed',
  minute,
  alike: 9,
}))
const made = [...ofUnits, ...ofMerchants]

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
  await sql`
    insert into sales_units (organisation, key, name, first_seen_at, last_seen_at, changed_at, removed_at)
    select 'partner/12345', 'u' || unit, name, now(), now(), now(), case when unit % 10 = 1 then now() end
    from unnest(${names}::text[], ${names.map((_, unit) => unit)}::int[]) given (name, unit)`.execute(database.kysely)
  await sql`
    insert into merchants (organisation, key, name, first_seen_at, last_seen_at, changed_at)
    select 'partner/12345', 'u' || unit, 'Nattklubb', now(), now(), now()
    from generate_series(0, 59) unit`.execute(database.kysely)
  await sql`
    insert into changes (organisation, at, moment, resource, key, kind, alike, for_viewers, fields)
    select 'partner/12345', moment, moment, resource, 'u' || unit, kind, alike, true, '{}'
    from jsonb_to_recordset(${JSON.stringify(made)}::jsonb) as given (resource text, unit int, kind text, minute int, alike int),
      lateral (select timestamptz '2026-01-01 00:00:00Z' + minute * interval '1 minute' as moment) timed`.execute(
    database.kysely,
  )
})
afterAll(() => database.close())

/** The groups of the changes that match, newest first, as `minute alike × count`. */
function groupsOf(matching: readonly Made[]): string[] {
  const groups = Map.groupBy(matching, ({ minute, alike }) => `${String(minute).padStart(5, '0')} ${alike}`)
  return [...groups]
    .map(([position, { length }]) => `${position} × ${length}`)
    .toSorted()
    .toReversed()
}

function textOf({ position: { moment, alike }, count }: ChangeGroup): string {
  const minute = (moment.getTime() - Date.parse('2026-01-01T00:00:00Z')) / 60_000
  return `${String(minute).padStart(5, '0')} ${alike} × ${count}`
}

function searchOf(filter: Partial<ChangeFilter>) {
  const all = { ...everyChange, resources: ['salesUnit', 'merchant'], ...filter }
  return searchChanges(database.kysely, partner, all)
}

describe.each([
  ['no text', {}],
  ['few records', { q: 'tromso' }],
  ['some records', { q: 'bergen' }],
  ['some records with few recent changes', { q: 'moss' }],
  ['many records', { q: 'kafe' }],
  ['many records with few recent changes', { q: 'nattklubb' }],
  ['few records, removed', { q: 'tromso', kind: 'removed' }],
  ['some records, removed', { q: 'bergen', kind: 'removed' }],
  ['many records, removed', { q: 'kafe', kind: 'removed' }],
  ['many records with few recent changes, removed', { q: 'nattklubb', kind: 'removed' }],
  ['many records with few recent changes, changed', { q: 'nattklubb', kind: 'changed' }],
  ['no record', { q: 'pizza' }],
] as const)('%s', (_, { q = '', kind = '' }: { readonly q?: string; readonly kind?: ChangeKind | '' }) => {
  const matching = made.filter((change) => {
    const name = names[change.unit]?.replace('ø', 'o').replace('é', 'e').toLowerCase() ?? ''
    return name.includes(q) && (kind === '' || change.kind === kind)
  })

  it('the pages have every group of changes in order, forwards and backwards', async () => {
    const search = searchOf({ q, kind })
    const pages: ChangeGroup[][] = []
    for (let isLast = false; !isLast;) {
      const found = await findChanges(search, { each: 'group', limit, before: pages.at(-1)?.at(-1)?.position })
      isLast = found.length < limit
      pages.push(isLast ? found : found.slice(0, -1))
    }
    const read = pages.flat()
    expect(read.map(textOf)).toEqual(groupsOf(matching))
    for (const { count, changes } of read) expect(changes).toHaveLength(count)
    const [first = [], second = []] = pages
    const back = await findChanges(search, { each: 'group', limit, after: second[0]?.position })
    expect(second.length === 0 || back.map(textOf).join() === first.map(textOf).join()).toBe(true)
  })

  it.each(['salesUnit', 'merchant'])('counts the changes of a %s, or says that there are more', async (resource) => {
    const expected = matching.filter((change) => change.resource === resource).length
    const counts = await countChanges(ofResources(searchOf({ q, kind }), [resource]), 20_000)
    const { count = 0, more } = counts.get(resource) ?? {}
    expect([count <= expected, more || count === expected]).toEqual([true, true])
    expect(more).toBe(resource === 'salesUnit' && ['kafe', 'nattklubb'].includes(q))
  })
})
