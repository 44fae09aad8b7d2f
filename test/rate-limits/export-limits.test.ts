import { beforeEach, expect, it } from 'vitest'
import type { Request } from 'express'
import { TooManyRequestsError } from '../../src/errors.ts'
import { createExportLimits, exportLimits } from '../../src/rate-limits/export-limits.ts'
import type { AuditEntry } from '../../src/store/audit.ts'

const req = { ip: '192.0.2.1' } as Request
const { leastRows, rows: most, atOnce, seconds } = exportLimits

let noted: AuditEntry[]
let limits: ReturnType<typeof createExportLimits>
beforeEach(() => {
  noted = []
  limits = createExportLimits({ noteRefusal: (entry) => noted.push(entry) })
})

/** Exports a list of this length. @returns the limit that refuses it; undefined when it is exported */
async function exported(user: string, rows: number): Promise<string | undefined> {
  try {
    const running = await limits.begin(req, user)
    try {
      await running.count(rows)
      return undefined
    } finally {
      running.end()
    }
  } catch (error) {
    const isRefused = error instanceof TooManyRequestsError
    if (!isRefused || error.retryAfterSeconds < 1 || error.retryAfterSeconds > seconds) throw error
    return error.message
  }
}

it('a user exports the rows of the limit, and others export theirs', async () => {
  for (let done = 0; done < 3; done += 1) expect(await exported('kari', most.user / 3)).toBe(undefined)
  expect(await exported('kari', 1)).toBe('export rows, user')
  expect(await exported('nora', most.user)).toBe(undefined)
})

it('each export counts as a least number of rows', async () => {
  for (let done = 0; done < most.user / leastRows; done += 1) expect(await exported('kari', 0)).toBe(undefined)
  expect(await exported('kari', 0)).toBe('export rows, user')
})

it('a refused export costs its search only, so that a shorter list can still be exported', async () => {
  expect(await exported('kari', most.user - 4 * leastRows)).toBe(undefined)
  expect(await exported('kari', 5 * leastRows)).toBe('export rows, user')
  expect(await exported('kari', 3 * leastRows)).toBe(undefined)
  expect(await exported('kari', leastRows)).toBe('export rows, user')
})

it('a list longer than the limit can be exported once in the period', async () => {
  expect(await exported('kari', 10 * most.user)).toBe(undefined)
  expect(await exported('kari', 1)).toBe('export rows, user')
})

it('all users together export the rows of the instance, which costs a refused user nothing', async () => {
  for (const user of ['a', 'b', 'c']) expect(await exported(user, most.user)).toBe(undefined)
  expect(await exported('kari', most.instance - 3 * most.user + leastRows)).toBe('export rows, instance')
  expect(await exported('kari', most.instance - 3 * most.user - leastRows)).toBe(undefined)
  expect(await exported('nora', 1)).toBe('export rows, instance')
})

it('a user runs two exports at once, and the instance runs eight', async () => {
  const running = [await limits.begin(req, 'kari'), await limits.begin(req, 'kari')]
  expect(await exported('kari', 1)).toBe('exports at once')
  for (const user of ['a', 'b', 'c']) running.push(await limits.begin(req, user), await limits.begin(req, user))
  expect(running).toHaveLength(atOnce.instance)
  expect(await exported('nora', 1)).toBe('exports at once')
  running.pop()?.end()
  expect(await exported('nora', 1)).toBe(undefined)
  expect(await exported('kari', 1)).toBe('exports at once')
})

it('a refusal is noted with its user and limit', async () => {
  await exported('kari', most.user)
  await exported('kari', 1)
  const details = { limit: 'export rows, user' }
  expect(noted).toEqual([{ event: 'too many requests', userId: 'kari', address: '192.0.2.0/24', details }])
})
