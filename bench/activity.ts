import type { Pool } from 'pg'
import { createLogger } from '../src/logger.ts'
import { type ChangeFilter, countChanges, everyChange, findChanges, searchChanges } from '../src/store/activity.ts'
import { openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrations.ts'
import { mostCounted } from '../src/pages/activity/load.ts'
import { createDatabase } from './fixture.ts'
import { atMost, median } from './report.ts'

const partner = { kind: 'partner', id: '100000', name: '' } as const
const resources = ['productOrder', 'salesUnit', 'merchant', 'pricePackage', 'template', 'webhook']

/** Pages of the activity: a name, and the filter. The texts are of few, some and many records. */
const filters: readonly (readonly [string, Partial<ChangeFilter>])[] = [
  ['no filter', {}],
  ['viewer', { isForViewer: true, resources: resources.slice(0, 5) }],
  ['resource', { resources: ['salesUnit'] }],
  ['rare resource', { resources: ['template'] }],
  ['kind', { kind: 'returned' }],
  ['status', { status: 'REJECTED' }],
  ['status of viewer', { status: 'COMPLETED', isForViewer: true }],
  ['a month', { from: daysAgo(400), before: daysAgo(370) }],
  ['since yesterday', { since: daysAgo(1) }],
  ['one record', { q: '1012345' }],
  ['1,300 records', { q: 'bakeri tromsø 1' }],
  ['1,500 records', { q: 'bakeri tromsø' }],
  ['many records', { q: 'bak' }],
  ['text and kind', { q: 'bakeri', kind: 'removed' }],
  ['1,500 records and kind', { q: 'bakeri tromsø', kind: 'removed' }],
]

/** Measures the queries of a page of the activity of a partner with `rows` changes, filter by filter. */
export async function measureActivity(rows: number): Promise<void> {
  const { url, db } = await createDatabase()
  const database = openDatabase({ url, logger: createLogger('silent') })
  await migrate(database, createLogger('silent'))
  for (const statement of records) await db.query(statement)
  await writeChanges(db, rows)
  const pages: number[] = []
  for (const [name, some] of filters) {
    const filter = { ...everyChange, resources, ...some }
    const first = await findChanges(searchChanges(database.pages, partner, filter), { each: 'group', limit: 51 })
    const times: number[] = []
    for (let round = 0; round < 7; round += 1) {
      // Every other time the second page.
      const before = round % 2 === 0 ? undefined : first.at(-1)?.position
      const began = performance.now()
      const search = searchChanges(database.pages, partner, filter)
      // One after the other, as the page does it.
      await findChanges(search, { each: 'group', limit: 51, before })
      await countChanges(search, mostCounted)
      times.push(performance.now() - began)
    }
    pages.push(median(times))
    atMost(`activity, ${rows} changes, ${name}: p50`, median(times), 30, ' ms')
  }
  atMost(`activity, ${rows} changes, all filters: p50`, median(pages), 20, ' ms')
  await database.close()
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 86_400_000)
}

const columns = 'organisation, key, first_seen_at, last_seen_at, changed_at'
const record = `'partner/100000', (1000000 + i)::text, now(), now(), now()`
const words = ['Bakeri', 'Kafé', 'Frisør', 'Blomster', 'Sykkel', 'Bok', 'Trening', 'Sauna', 'Pizza', 'Kiosk']
const places = ['Oslo', 'Bergen', 'Tromsø', 'Ålesund', 'Aarhus', 'Odense', 'Tampere', 'Helsinki', 'Bodø', 'Moss']
const part = (list: readonly string[], by: string) => `(array['${list.join("','")}'])[1 + ${by} % 10]`
const recordName = `${part(words, 'i')} || ' ' || ${part(places, '(i / 10)')} || ' ' || i / 1000`

/** Statements that write the records of the changes, with names. */
const records = [
  `insert into sales_units (${columns}, name, merchant_name)
   select ${record}, ${recordName}, ${recordName} from generate_series(0, 99999) i`,
  `insert into merchants (${columns}, name)
   select ${record}, ${recordName} from generate_series(0, 24999) i`,
  `insert into product_orders (${columns}, status, merchant_name)
   select ${record}, 'COMPLETED', ${recordName} from generate_series(0, 19999) i`,
]

/** Writes `rows` changes of partner 100000: of two years, in groups of up to twenty. */
export async function writeChanges(db: Pool, rows: number): Promise<void> {
  const indexes = await db.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
     where schemaname = current_schema() and tablename = 'changes' and indexname <> 'changes_pkey'`,
  )
  // Rows are written faster without indexes.
  for (const { name } of indexes.rows) await db.query(`drop index ${name}`)
  await db.query(
    `insert into changes (organisation, at, moment, resource, key, kind, status, alike, for_viewers, fields)
     select 'partner/100000', moment, moment, resource, (1000000 + abs(hashint4(i)::bigint) % size)::text, kind, status,
       hashtext(resource || kind || status || i % 3), resource <> 'webhook' and i % 7 <> 3,
       '{"name": ["Before", "After"]}'
     from (select i, now() - (${rows} - i / 20 * 20) * interval '1 second' * (63072000.0 / ${rows}) as moment,
         case when i % 100 < 50 then 'salesUnit' when i % 100 < 75 then 'productOrder' when i % 100 < 95 then 'merchant'
           when i % 10000 = 99 then 'template' when i % 10000 = 199 then 'pricePackage' else 'webhook' end as resource,
         case when i % 50 = 0 then 'removed' when i % 5000 = 1 then 'returned' when i % 10 = 2 then 'added'
           else 'changed' end as kind from generate_series(0, ${rows - 1}) i) given,
       lateral (select case resource when 'salesUnit' then 100000 when 'merchant' then 25000 else 20000 end as size,
         case when resource = 'productOrder' and kind = 'changed' then (array['', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED',
           'COMPLETED'])[1 + i % 4] when i % 1000 = 63 then 'REJECTED' else '' end as status) more`,
  )
  for (const { definition } of indexes.rows) await db.query(definition)
  await db.query('vacuum analyze')
}
