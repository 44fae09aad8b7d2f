import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { organisationsFile } from '../../demo/world/credentials.ts'
import { exportLimits } from '../../src/rate-limits/export-limits.ts'
import type { Browser } from '../support/browser.ts'
import { whileHeld } from '../support/held-query.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'

const partner = '/partners/23456'
const salesUnits = 40_060
/** The statement that reads a batch of sales units. */
const batch = /s\.details, .* from sales_units s .* join \(select key, position from unnest/s

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  await addSalesUnits(salesUnits - 60)
})
afterAll(async () => test.stop())
beforeEach(async () => {
  åse = await test.signedIn('Åse Bjørk')
})

/** Copies one sales unit of the partner under other MSNs. */
async function addSalesUnits(count: number): Promise<void> {
  const { pool } = test.portal.database
  const { rows } = await pool.query<{ columns: string }>(
    `select string_agg(column_name, ', ') as columns from information_schema.columns
     where table_schema = current_schema() and table_name = 'sales_units' and is_generated = 'NEVER'
       and is_identity = 'NO' and column_name <> 'key'`,
  )
  const columns = rows[0]?.columns
  await pool.query(
    `insert into sales_units (key, ${columns})
     select (5000000 + number)::text, ${columns} from generate_series(1, $1) number, (
       select * from sales_units where organisation = 'partner/23456' order by key limit 1) one`,
    [count],
  )
}

/** Requests a download, and resolves when its first bytes arrive. Nothing more is read. */
async function begin(browser: Browser, path: string): Promise<IncomingMessage> {
  const call = get(test.url + path, { headers: { Cookie: `portal=${browser.cookie('portal')}; language=en` } })
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  return answer
}

/** Reads the rest of a download. @returns how it ended, and its bytes */
async function finish(answer: IncomingMessage): Promise<{ isWhole: boolean; bytes: Buffer }> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    return { isWhole: true, bytes: Buffer.concat(chunks) }
  } catch {
    return { isWhole: false, bytes: Buffer.concat(chunks) }
  }
}

function logged(pattern: RegExp): number {
  return test.log().match(pattern)?.length ?? 0
}

/** Begins a download and closes the connection. */
async function beginAndLeave(browser: Browser, path: string): Promise<number | undefined> {
  const line = /"route":"[^"]*\.(csv|xlsx)".*"msg":"request/g
  const before = logged(line)
  const answer = await begin(browser, path)
  answer.destroy()
  await until(async () => logged(line) > before)
  return answer.statusCode
}

describe('the limit of exported rows', () => {
  it('holds for a user, in every spelling of the address, and not for others', async () => {
    const kari = await test.signedIn('Kari Nordmann')
    const spellings = [
      'sales-units.csv',
      'sales-units.csv/',
      'sales-units.CSV',
      'Sales-Units.Csv/',
      'sales-units.XLSX/',
    ]
    // Two that were left a moment ago may still end their batches.
    const beginsAtLast = async (path: string): Promise<void> =>
      expect.poll(async () => beginAndLeave(åse, path)).toBe(200)
    const most = Math.floor(exportLimits.rows.user / salesUnits)
    for (let done = 0; done < most; done += 1)
      await beginsAtLast(`${partner}/${spellings[done % spellings.length]}?sort=-msn`)
    // Less than the list, and enough for a short one.
    await beginsAtLast(`${partner}/developers/webhooks.csv`)
    for (const spelling of spellings) {
      const page = await åse.open(`${partner}/${spelling}`)
      expect([spelling, page.status, page.$('h1').text()]).toEqual([spelling, 429, 'Too many requests'])
      const wait = Number(page.headers['retry-after'])
      expect(wait > 0 && wait <= exportLimits.seconds).toBe(true)
    }
    for (const spelling of ['sales-units%2Ecsv', 'sales%2dunits.csv', '/sales-units.csv', 'sales-units.csv//'])
      expect([spelling, (await åse.open(`${partner}/${spelling}`)).status]).toEqual([spelling, 404])
    expect((await åse.open(`${partner}/sales-units`)).status).toBe(200)
    expect(await beginAndLeave(kari, '/partners/12345/sales-units.csv')).toBe(200)
    const { rows } = await test.portal.database.pool.query(
      `select details from audit where event = 'too many requests'`,
    )
    expect(rows).toEqual([{ details: { limit: 'export rows, user' } }])
  })
})

it('two downloads at once leave the pages of their user a place', async () => {
  const { pool } = test.portal.database
  const kari = await test.signedIn('Kari Nordmann')
  const waiting = `select from pg_locks where not granted and relation = 'sales_units'::regclass`
  const lock = await pool.connect()
  await lock.query('begin; lock table sales_units in access exclusive mode')
  try {
    let isOver = false
    const downloads = ['csv', 'xlsx'].map(async (format) => {
      const answer = await begin(kari, `/partners/12345/sales-units.${format}`)
      isOver = true
      answer.destroy()
    })
    await until(async () => (await pool.query(waiting)).rowCount === downloads.length)
    const page = await kari.open('/partners/12345/product-orders')
    expect([page.status, isOver]).toEqual([200, false])
    await Promise.all(downloads)
  } finally {
    await lock.query('rollback')
    lock.release()
  }
})

describe('batches', () => {
  it('have at most 50 rows, and are read one at a time for all downloads', async () => {
    const nora = await test.signedIn('Nora Lie')
    const kari = await test.signedIn('Kari Nordmann')
    const executor = test.portal.database.pages.getExecutor()
    const execute = executor.executeQuery.bind(executor)
    const seen = { now: 0, most: 0, rows: 0 }
    const counted: typeof executor.executeQuery = async (query, options) => {
      if (!batch.test(query.sql)) return execute(query, options)
      seen.now += 1
      seen.most = Math.max(seen.most, seen.now)
      try {
        const result = await execute(query, options)
        seen.rows = Math.max(seen.rows, result.rows.length)
        return result
      } finally {
        seen.now -= 1
      }
    }
    await test.portal.database.pool.query(
      `insert into grants (user_id, organisation) select unnest($1::uuid[]), 'partner/23456'`,
      [[test.userId('Nora Lie'), test.userId('Kari Nordmann')]],
    )
    Object.assign(executor, { executeQuery: counted })
    try {
      const both = [nora, kari].map(async (browser) =>
        finish(await begin(browser, `${partner}/sales-units.csv?q=5000`)),
      )
      for (const { isWhole } of await Promise.all(both)) expect(isWhole).toBe(true)
      expect(seen).toEqual({ now: 0, most: 1, rows: 50 })
    } finally {
      Object.assign(executor, { executeQuery: execute })
    }
  })
})

describe('a download is cut off', () => {
  const mikko = 'Mikko Mäkinen'
  let reader: Browser
  beforeEach(async () => {
    await grant('developer')
    reader = await test.signedIn(mikko)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  async function grant(role: string): Promise<void> {
    await test.portal.database.pool.query(
      `insert into grants (user_id, organisation, role) values ($1, 'partner/23456', $2)
       on conflict (user_id, organisation) do update set role = $2`,
      [test.userId(mikko), role],
    )
  }
  async function revoke(): Promise<void> {
    const id = test.userId(mikko)
    await test.portal.database.pool.query(`delete from grants where user_id = $1 and organisation = 'partner/23456'`, [
      id,
    ])
  }
  async function signOut(): Promise<void> {
    await test.portal.database.pool.query(`delete from sessions where user_id = $1`, [test.userId(mikko)])
  }
  async function tooOld(): Promise<void> {
    await test.portal.database.pool.query(
      `update sessions set signed_in_at = signed_in_at - interval '13 hours' where user_id = $1`,
      [test.userId(mikko)],
    )
  }

  it.each([
    ['its grant ends', 'csv', revoke],
    ['its grant ends', 'xlsx', revoke],
    ['its session ends', 'csv', signOut],
    ['its session ends', 'xlsx', signOut],
    ['its session is too old', 'csv', tooOld],
  ])('when %s between two batches: %s', async (_why, extension, end) => {
    const ended = logged(/export ended/g)
    const { pages } = test.portal.database
    const answer = await whileHeld(
      pages,
      batch,
      async () => finish(await begin(reader, `${partner}/sales-units.${extension}?q=500`)),
      end,
    )
    expect(answer.isWhole).toBe(false)
    expect(answer.bytes.toString()).not.toContain('5000')
    expect(logged(/export ended/g)).toBe(ended + 1)
  })

  it('when its role no longer covers the list', async () => {
    const hooks = /from "webhooks" as "w" inner join .select key, position from unnest/
    const answer = await whileHeld(
      test.portal.database.pages,
      hooks,
      async () => finish(await begin(reader, `${partner}/developers/webhooks.csv`)),
      async () => grant('viewer'),
    )
    expect(answer.isWhole).toBe(false)
  })

  it('when the operator takes the organisation out of its file', async () => {
    const all = organisationsFile(test.world)
    const write = (file: unknown): void => {
      writeFileSync(test.organisationsFile, JSON.stringify(file), { mode: 0o600 })
      test.portal.reload()
    }
    const answer = await whileHeld(
      test.portal.database.pages,
      batch,
      async () => finish(await begin(reader, `${partner}/sales-units.csv`)),
      async () => {
        write({ ...all, partners: all.partners.filter(({ id }) => id !== '23456') })
        const other = await test.signedIn('Åse Bjørk')
        await expect.poll(async () => (await other.open(partner)).status).toBe(404)
      },
    )
    write(all)
    expect(answer.isWhole).toBe(false)
    await expect.poll(async () => (await åse.open(partner)).status).toBe(200)
  })

  it('when a slow browser goes on reading after the grant has ended', async () => {
    const answer = await begin(reader, `${partner}/sales-units.csv`)
    await revoke()
    const { isWhole, bytes } = await finish(answer)
    expect(isWhole).toBe(false)
    expect(bytes.toString().split('\r\n').length).toBeLessThan(salesUnits)
  })

  it('after ten minutes, also when the browser reads nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const answer = await begin(reader, `${partner}/sales-units.csv`)
    vi.advanceTimersByTime(10 * 60_000)
    vi.useRealTimers()
    const { isWhole } = await finish(answer)
    expect(isWhole).toBe(false)
  })
})
