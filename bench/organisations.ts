import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiFaults } from './api.ts'
import { countRead, createFixture, type Fixture, readLists, startPortal, until } from './fixture.ts'
import { directory, freePort } from './processes.ts'
import { atMost, median } from './report.ts'
import { largeId } from './world.ts'

const countedSeconds = 60

/** Measures many organisations: fairness when some get no answer, speed when all do, and idle load. */
export async function measureOrganisations(): Promise<void> {
  const all = await readFirst(200, { latencyMs: 30 })
  atMost('200 organisations, all healthy: last one read', all.seconds, 180, ' s', all.note)
  const some = await readFirst(200, { latencyMs: 30, everyTenthSilent: true })
  const what = '20 of 200 organisations without an answer: last healthy one read'
  atMost(what, some.seconds / all.seconds, 1.3, ' ×', some.note)
  const many = await readFirst(1000, {})
  atMost('1,000 organisations × 20 sales units: all lists read', many.seconds, 60, ' s', many.note)
  const two = await readFirst(2, {})
  await measureIdle(two.fixture, 'two organisations', 2)
  await measureIdle(many.fixture, '1,000 organisations without page views', 5)
}

/** The time from the first call until all lists of all answering organisations are read, within three minutes. */
async function readFirst(organisations: number, faults: ApiFaults) {
  const fixture = await createFixture(Array.from({ length: organisations }, () => 20))
  const { db, api } = fixture
  await api.set(faults)
  const portal = await startPortal(fixture)
  const [expected, pattern] = faults.everyTenthSilent ? [organisations * 0.9, '[1-9]$'] : [organisations, '']
  const deadline = Date.now() + 180_000
  let read = 0
  while (read < expected && Date.now() < deadline) {
    await sleep(250)
    read = await countRead(db, pattern)
  }
  const took = (Date.now() - ((await api.calls())[0]?.at ?? 0)) / 1000
  await portal.stop('SIGKILL')
  await api.stop()
  const note = `${read} of ${expected} in ${took.toFixed(1)} s`
  return { fixture, seconds: read < expected ? Number.POSITIVE_INFINITY : took, note }
}

/** Measures the statements of one idle instance, counted in its process, while nothing is due. */
async function measureIdle(fixture: Fixture, what: string, limit: number): Promise<void> {
  await fixture.db.query(
    `with state as (update sync_state set checked_at = now(), due_at = now() + interval '1 day',
       requested_at = null, failing_since = null, failures = 0, failure = null)
     update organisation_sync set lists_due_at = now() + interval '1 day', requested_at = null,
       details_due_at = now() + interval '1 day', leased_by = null, leased_until = null`,
  )
  const file = join(directory, 'statements')
  const env = { STATEMENTS_FILE: file }
  const portal = await startPortal(fixture, env, ['--import', 'bench/count-statements.js'])
  await sleep(10_000)
  const before = Number(readFileSync(file, 'utf8'))
  await sleep(countedSeconds * 1000)
  const rate = (Number(readFileSync(file, 'utf8')) - before) / countedSeconds
  await portal.stop()
  atMost(`statements of an idle instance, ${what}`, rate, limit, ' a second', `over ${countedSeconds} s`)
}

/** Measures the takeover: of two instances, the one with the lease is killed while its lists are due. */
export async function measureKill(): Promise<void> {
  // More details than can be read meanwhile, so that the owner keeps its lease until it is killed.
  const fixture = await createFixture([5000])
  const { db, api } = fixture
  await api.set({ latencyMs: 30 })
  let owner = await startPortal(fixture)
  await until(async () => (await countRead(db)) === 1)
  const seconds: number[] = []
  for (let kill = 0; kill < 5; kill += 1) {
    const other = await startPortal(fixture, { PORT: await freePort() })
    // At a random time between two lease renewals.
    await sleep(Math.random() * 10_000)
    await owner.stop('SIGKILL')
    const killed = performance.now()
    await readLists(db, `partner/${largeId}`)
    seconds.push((performance.now() - killed) / 1000)
    owner = other
  }
  await owner.stop()
  await api.stop()
  const note = `of 5 kills; median ${median(seconds).toFixed(1)} s`
  atMost('an instance is killed: until the other has read all lists', Math.max(...seconds), 20, ' s', note)
}
