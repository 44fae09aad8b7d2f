import { idleUse, memoryOf } from './first-list.ts'
import { describeDelays } from './meter.ts'
import type { Reporter } from './results.ts'
import { type RunningPortal, untilIdle, untilListsRead } from './stage.ts'
import { median } from './statistics.ts'
import { largeId } from './world.ts'

const rounds = 3
const tables = ['sales_units', 'merchants', 'product_orders', 'price_packages', 'templates', 'webhooks']

/** Rows of records that a later transaction than `transaction` has written, and the length of the history. */
const writtenSince = async (
  { ask }: RunningPortal,
  transaction: unknown,
): Promise<{ rows: number; changes: number }> => {
  const counts = tables.map(
    (table) => `(select count(*) from ${table} where xmin::text::bigint > ($1::bigint % 4294967296))`,
  )
  const [row] = await ask.query(
    `select (${counts.join(' + ')})::int as rows, (select count(*) from changes)::int as changes`,
    [transaction],
  )
  return { rows: Number(row?.['rows']), changes: Number(row?.['changes']) }
}

/** Reads all lists of the large partner again, which say what is known. */
export const measureUnchanged = async (portal: RunningPortal, report: Reporter): Promise<void> => {
  const key = `partner/${largeId}`
  await portal.ask.query(`update sync_state set due_at = now() + interval '1 day' where key = ''`)
  await untilIdle(portal)
  const idle = await idleUse(portal)
  const [before] = await portal.ask.query('select txid_current()::text as id, now() as now')
  const { changes } = await writtenSince(portal, before?.['id'])
  const runs = []
  for (let round = 0; round < rounds; round += 1) {
    const [start] = await portal.ask.query('select now() as now')
    await portal.ask.resetMeter()
    await portal.ask.query(`update sync_state set due_at = 'epoch' where key = '' and organisation = $1`, [
      key,
    ])
    await portal.ask.beat()
    await untilListsRead(portal, key, start?.['now'])
    await untilIdle(portal)
    runs.push(await portal.ask.readMeter())
  }
  const after = await writtenSince(portal, before?.['id'])
  const seconds = (some: readonly number[]): number => median(some) / 1000
  const [all, main] = [
    seconds(runs.map(({ cpuMs }) => cpuMs)),
    seconds(runs.map(({ mainCpuMs }) => mainCpuMs)),
  ]
  const wall = `${seconds(runs.map(({ wallMs }) => wallMs)).toFixed(1)} s in all`
  const note = `all threads; ${main.toFixed(1)} s main thread; ${wall}`
  report.atMost('sync that finds nothing changed: CPU', all, 5, ' s', note)
  report.atMost('sync that finds nothing changed: rows rewritten', after.rows, 0)
  report.atMost('sync that finds nothing changed: changes recorded', after.changes - changes, 0)
  const memories = runs.map((busy) => memoryOf(idle, busy))
  const most = memories.reduce((found, next) => (next.value > found.value ? next : found))
  report.atMost('sync that finds nothing changed: memory', most.value, 300, ' MB', most.note)
  report.atMost(
    'sync that finds nothing changed: event loop delay, p99',
    median(runs.map(({ delay }) => delay.p99)),
    50,
    ' ms',
    describeDelays(runs),
  )
}
