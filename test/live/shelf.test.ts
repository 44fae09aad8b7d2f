import { afterEach, expect, it, vi } from 'vitest'
import { UpstreamUnavailableError } from '../../src/errors.ts'
import { createShelf } from '../../src/live/shelf.ts'
import { createLogger } from '../../src/logger.ts'
import type { Organisation } from '../../src/organisation.ts'

const partner: Organisation = { kind: 'partner', id: '12345', name: 'Nordlys' }
const keys = Array.from({ length: 100 }, (_, index) => String(index))
const minute = 60_000

const later = (milliseconds: number): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds })
}
afterEach(() => {
  vi.useRealTimers()
})

const shelfOf = (read: (key: string) => string | undefined) => {
  const calls: string[] = []
  const shelf = createShelf(
    async (_organisation, key) => {
      calls.push(key)
      return read(key)
    },
    {
      purpose: 'salesUnit',
      maxAgeMs: 60 * minute,
      logger: createLogger('silent'),
      signal: new AbortController().signal,
    },
  )
  return { shelf, calls }
}
const failing =
  (...bad: string[]) =>
  (key: string): string => {
    if (bad.includes(key)) throw new UpstreamUnavailableError({ purpose: 'salesUnit', status: 500 })
    return key
  }

it('reads everything ahead but what fails, and leaves that alone for a while', async () => {
  const { shelf, calls } = shelfOf(failing('1', '2', '3', '50'))
  await shelf.readAhead(partner, keys)
  expect(keys.filter((key) => !shelf.peek(partner, key))).toEqual(['1', '2', '3', '50'])
  expect(calls).toHaveLength(100)
  later(2 * minute)
  await shelf.readAhead(partner, keys)
  expect(calls).toHaveLength(100)
  later(10 * minute)
  await shelf.readAhead(partner, keys)
  expect(calls.slice(100).toSorted()).toEqual(['1', '2', '3', '50'])
})

it('gives up while nothing works, and catches up when it does', async () => {
  let down = true
  const { shelf, calls } = shelfOf((key) => (down ? failing(key)(key) : key))
  await shelf.readAhead(partner, keys)
  const tried = calls.length
  expect(tried).toBeLessThan(15)
  down = false
  await shelf.readAhead(partner, keys)
  expect(calls).toHaveLength(tried)
  later(minute)
  await shelf.readAhead(partner, keys)
  later(10 * minute)
  await shelf.readAhead(partner, keys)
  expect(keys.filter((key) => !shelf.peek(partner, key))).toEqual([])
})

it('forgets within a minute that there is nothing, and after two hours what there was', async () => {
  const { shelf, calls } = shelfOf((key) => (key === 'none' ? undefined : key))
  await shelf.read(partner, 'none')
  await shelf.read(partner, 'some')
  later(minute)
  await shelf.read(partner, 'none')
  await shelf.read(partner, 'some')
  expect(calls).toEqual(['none', 'some', 'none'])
  later(121 * minute)
  await shelf.read(partner, 'other')
  expect(shelf.peek(partner, 'some')).toBeUndefined()
})

it('lets many who wait for the same cause one call, and keeps no failure', async () => {
  const { shelf, calls } = shelfOf(failing('bad'))
  await Promise.all(Array.from({ length: 10 }, () => shelf.read(partner, 'good')))
  expect(calls).toEqual(['good'])
  for (let attempt = 0; attempt < 2; attempt += 1)
    await expect(shelf.read(partner, 'bad')).rejects.toThrow(UpstreamUnavailableError)
  expect(calls).toEqual(['good', 'bad', 'bad'])
})
