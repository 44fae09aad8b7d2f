import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { createLogger } from '../../src/logger.ts'
import { type Organisation, organisationKey } from '../../src/domain/organisation.ts'
import type { Database } from '../../src/store/database.ts'
import { ensureDue, makeDue } from '../../src/store/due.ts'
import { noteOutcomes } from '../../src/store/sync-state.ts'
import { openTestDatabase } from '../support/database.ts'

const bikes: Organisation = { kind: 'partner', id: '12345', name: 'Bikes & Co' }
const lists = ['salesUnits', 'productOrders', 'pricePackages', 'templates', 'webhooks'] as const
const msns = Array.from({ length: 400 }, (_, index) => String(100_000 + index))

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.pool.query('delete from sync_state')
  for (const resource of lists) await ensureDue(database.kysely, bikes, resource, [''])
  await ensureDue(database.kysely, bikes, 'salesUnit', msns)
})
afterEach(() => vi.restoreAllMocks())

/** Records an outcome of these resources, as the sync would. */
function recordOutcome(resource: (typeof lists)[number] | 'salesUnit', keys: readonly string[], ok: boolean) {
  return noteOutcomes(
    database.kysely,
    bikes,
    keys.map((key) => {
      const outcome = { resource, key, askedMs: 0, nextSeconds: 600 }
      return ok ? outcome : { ...outcome, failure: 'unavailable', maxSeconds: 600 }
    }),
    900,
  )
}

/** @param tick replaces the tick of the sync; nothing else runs */
function sync(tick: () => Promise<void>, tell: (line: string) => void = () => {}) {
  return runCommand(
    {
      database,
      organisations: new Map([[organisationKey(bikes), bikes]]),
      logger: createLogger('silent'),
      sync: async () => ({ tick }),
    },
    ['sync'],
    { tell, signal: new AbortController().signal, operator: 'kim' },
  )
}

/** Advances the injected clock. */
function fakeClock() {
  const real = performance.now.bind(performance)
  let ahead = 0
  vi.spyOn(performance, 'now').mockImplementation(() => real() + ahead)
  return (milliseconds: number) => {
    ahead += milliseconds
  }
}

it('the command gives up when every list has failed', async () => {
  const { exitCode, error } = await sync(async () => {
    for (const resource of lists) await recordOutcome(resource, [''], false)
    await recordOutcome('salesUnit', msns.slice(0, 10), false)
  })
  expect(exitCode).toBe(1)
  expect(error).toContain('partner 12345: list of webhooks failed: the API did not answer\n')
  expect(error).toContain('partner 12345: 10 of 400 sales units failed: the API did not answer\n')
  expect(error).toContain('partner 12345: 390 sales units not tried\n')
})

it('the command gives up when something has failed and nothing has been read for a minute', async () => {
  const jump = fakeClock()
  const told: string[] = []
  const { exitCode, error } = await sync(
    async () => {
      for (const resource of lists) await recordOutcome(resource, [''], true)
      await recordOutcome('salesUnit', msns.slice(0, 300), true)
      await recordOutcome('salesUnit', msns.slice(300, 310), false)
    },
    (line) => {
      told.push(line)
      jump(told.length < 3 ? 20_000 : 30_000)
    },
  )
  expect(told.slice(0, 3)).toEqual(
    Array.from({ length: 3 }, () => 'partner 12345  sales units 300 of 400 read, 10 failing'),
  )
  expect(exitCode).toBe(1)
  expect(error).toContain('partner 12345: 90 sales units not tried\n')
})

it('the command gives up when nothing happens for five minutes', async () => {
  const jump = fakeClock()
  let told = 0
  const { exitCode, error } = await sync(
    async () => {},
    () => {
      told += 1
      jump(100_000)
    },
  )
  expect({ exitCode, told: told >= 3 }).toEqual({ exitCode: 1, told: true })
  expect(error).toContain('partner 12345: 400 sales units not tried\n')
})

it('the command continues while something is read, despite failures', async () => {
  const jump = fakeClock()
  let read = 0
  const recorded: Promise<void>[] = []
  const { exitCode, error } = await sync(
    async () => {
      for (const resource of lists) await recordOutcome(resource, [''], true)
      await recordOutcome('salesUnit', msns.slice(-1), false)
    },
    () => {
      jump(50_000)
      read = Math.min(msns.length - 1, read + 100)
      recorded.push(recordOutcome('salesUnit', msns.slice(0, read), true))
    },
  )
  // The next test deletes what these still write.
  await Promise.all(recorded)
  expect(exitCode).toBe(1)
  expect(error).toMatch(/^partner 12345: 1 of 400 sales units failed: the API did not answer\nSync incomplete after/)
})

it('makeDue makes thousands of states due, except inactive and just refreshed ones', async () => {
  const many = Array.from({ length: 6000 }, (_, index) => String(index))
  await ensureDue(database.kysely, bikes, 'merchant', many)
  await recordOutcome('salesUnit', msns, true)
  const outcomes = [
    ...many.map((key) => ({ resource: 'merchant' as const, key, askedMs: 5000, nextSeconds: 600 })),
    { resource: 'productOrder' as const, key: 'x', askedMs: 5000, nextSeconds: Infinity },
    { resource: 'salesUnit' as const, key: 'later', askedMs: -60_000, nextSeconds: 600 },
  ]
  await noteOutcomes(database.kysely, bikes, outcomes, 900)
  await makeDue(database.kysely, bikes, { listsOnly: false })
  const { rows } = await database.pool.query(
    `select resource, count(*)::int as due from sync_state where due_at = 'epoch' group by resource order by resource`,
  )
  expect(rows).toContainEqual({ resource: 'merchant', due: 6000 })
  expect(rows).toContainEqual({ resource: 'salesUnit', due: 400 })
  expect(rows).not.toContainEqual(expect.objectContaining({ resource: 'productOrder' }))
})
