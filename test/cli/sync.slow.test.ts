import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { createLogger } from '../../src/logger.ts'
import { type Organisation, organisationKey } from '../../src/domain/organisation.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const nordlys: Organisation = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' }

let test: TestPortal
beforeAll(async () => {
  // No automatic retry during a test.
  const env = {
    SYNC_RETRY_SECONDS: '600',
    SYNC_DOUBT_SECONDS: '600',
    MANAGEMENT_API_MAX_CONCURRENCY: '8',
  }
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 5 }), env })
})
afterEach(() => {
  Object.assign(test.api.faults, { override: null, down: false, latencyMs: 0 })
})
afterAll(() => test.stop())

async function sync(line: string, signal = new AbortController().signal) {
  const told: string[] = []
  const { database, sync: engine } = test.portal
  const organisations = new Map(
    test.world.organisations.map(({ organisation }) => [organisationKey(organisation), organisation]),
  )
  const result = await runCommand(
    { database, organisations, logger: createLogger('silent'), sync: async () => engine },
    ['sync', ...line.split(' ').filter(Boolean)],
    { tell: (text) => told.push(text), signal, operator: 'kim' },
  )
  return { ...result, told }
}

/** The API requests so far, without tokens. */
function requestedPaths(): string[] {
  return test.api.requests
    .filter(({ organisation, path }) => organisation && !/token/.test(path))
    .map(({ path }) => path)
}

describe('sync', () => {
  it('reads everything of one organisation, and nothing of the others', async () => {
    test.api.requests.length = 0
    const renamed = test.world.salesUnits.find(({ body }) => body.msn === '231777')
    if (renamed) renamed.body.name = "Ole's Gym & Sauna"
    const { exitCode, output, error } = await sync('partner 12345')
    expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' })
    expect(output).toMatch(
      /^partner 12345 {2}read: 5 lists, 12 sales units, 7 merchants, webhooks of 12 sales units\nSync finished in \d+ s\.$/,
    )
    // 5 lists, 12 sales units, 7 merchants and the webhooks of 12.
    expect(requestedPaths()).toHaveLength(36)
    expect(test.api.requests.every(({ organisation }) => organisation === 'partner/12345')).toBe(true)
    const { rows } = await test.portal.database.pool.query<{ name: string }>(
      `select name from sales_units where organisation = 'partner/12345' and key = '231777'`,
    )
    expect(rows).toEqual([{ name: "Ole's Gym & Sauna" }])
  })

  it('reads all organisations when none is named', async () => {
    const { exitCode, output } = await sync('')
    expect(exitCode).toBe(0)
    for (const { organisation } of test.world.organisations)
      expect(output).toContain(`${organisationKey(organisation).replaceAll('/', ' ')}  read: `)
    expect(output).toContain('partner 23456  read: 5 lists, 5 sales units')
    expect(output).toContain(
      'merchant business:NO:ORG 313402778  read: 2 lists, 1 sales unit, 1 merchant, webhooks of 1 sales unit',
    )
  })

  it('prints its progress about once a second', async () => {
    test.api.faults.latencyMs = 1500
    const { exitCode, told } = await sync('partner 12345')
    expect(exitCode).toBe(0)
    expect(told[0]).toMatch(
      /^partner 12345 {2}lists 0 of 5 read, sales units \d+ of \d+ read, merchants \d+ of \d+ read, webhooks of sales units \d+ of \d+ read$/,
    )
    expect(told.length).toBeGreaterThan(1)
  })

  it('prints which resources could not be read and why, and fails', async () => {
    test.api.faults.override = ({ path }) =>
      path.endsWith('/sales-units/123456') || path.includes('price-packages') ? { status: 500 } : undefined
    const { exitCode, output, error, told } = await sync('partner 12345')
    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' })
    expect(told.at(-1)).toContain('partner 12345  read: 4 lists, 11 sales units, 7 merchants')
    expect(error).toMatch(
      /^partner 12345: list of price packages failed: the API did not answer\npartner 12345: 1 of 12 sales units failed: the API did not answer\nSync incomplete after /,
    )
  })

  it('does not wait for an API that is down', async () => {
    test.api.faults.down = true
    const { exitCode, error, told } = await sync('partner 23456')
    expect(exitCode).toBe(1)
    expect(told.at(-1)).toMatch(/^partner 23456 {2}read: /)
    expect(error).toContain('partner 23456: list of sales units failed: the API did not answer')
    test.api.faults.down = false
  })

  it('reports that the credentials were refused', async () => {
    test.api.faults.revokeTokens()
    test.api.faults.override = ({ path }) => (path.includes('token') ? { status: 401 } : undefined)
    const { exitCode, error } = await sync('merchant business:NO:ORG 311900456')
    expect(exitCode).toBe(1)
    expect(error).toContain(
      'merchant business:NO:ORG 311900456: list of sales units failed: the API refused the credentials\n',
    )
  })

  it('reports suspect lists', async () => {
    const path = '/management/v1/partners/price-packages'
    test.api.faults.override = (request) => (request.path === path ? { status: 204 } : undefined)
    const { output } = await sync('partner 12345')
    expect(output).toContain('partner 12345  list of price packages: SUSPECT, lost many rows at once')
  })

  it('ends when it is aborted', async () => {
    test.api.faults.latencyMs = 1500
    const { exitCode, error } = await sync('partner 12345', AbortSignal.timeout(300))
    expect({ exitCode, error }).toEqual({
      exitCode: 1,
      error: 'interrupted: progress is kept; the portal continues in the background',
    })
    await test.settled()
  })

  it.each([
    ['partner 99999', 'partner 99999 is unknown: add it to the organisations file', 1],
    ['partner x', '"x" is not a partner ID', 1],
    ['everything', 'an organisation is', 2],
    ['partner 12345 now', 'unexpected argument "now"', 2],
  ])('refuses %s', async (line, words, exitCode) => {
    const result = await sync(line)
    expect(result).toMatchObject({ exitCode, output: '' })
    expect(result.error).toContain(words)
  })
})

it('sync does nothing without organisations', async () => {
  const { database, sync: engine } = test.portal
  const deps = {
    database,
    organisations: new Map<string, Organisation>(),
    logger: createLogger('silent'),
    sync: async () => engine,
  }
  const call = { tell: () => {}, signal: new AbortController().signal, operator: 'kim' }
  expect(await runCommand(deps, ['sync'], call)).toMatchObject({
    exitCode: 1,
    error: 'there are no organisations in the organisations file (ORGANISATIONS_FILE)',
  })
  const strange = new Map([[organisationKey(nordlys), nordlys]])
  expect(await runCommand({ ...deps, organisations: strange }, ['sync', 'partner', '23456'], call)).toMatchObject({
    exitCode: 1,
  })
})
