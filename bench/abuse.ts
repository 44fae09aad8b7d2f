import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { readLists, startPortal } from './fixture.ts'
import { type LargeFixture, pagesOf } from './large-fixture.ts'
import { openLoop } from './load.ts'
import { cleanup, type RunningProcess } from './processes.ts'
import { atMost, quantile } from './report.ts'
import { largeId, smallId } from './world.ts'

const seconds = 60
const quietLoad = { perSecond: 20, seconds }
/** Every table that a request can add rows to. */
const written = ['sessions', 'users', 'audit', 'rate_limits', 'email_codes', 'code_mails', 'sync_state']

/** Measures what a viewer, strangers and the API can cost the others at worst. */
export async function measureAbuse(fixture: LargeFixture): Promise<void> {
  const portal = await startPortal(fixture)
  // The first pages of a process take longer.
  await openLoop(others(fixture), pagesOf(fixture, smallId), { ...quietLoad, seconds: 10 })
  const quiet = quantile(await openLoop(others(fixture), pagesOf(fixture, smallId), quietLoad), 0.99)
  await measureViewer(fixture, portal, quiet)
  await measureStrangers(fixture, quiet)
  await measureAnswers(fixture, portal)
  await portal.stop()
}

/** The visitors without the first, who is the one that abuses. */
function others(fixture: LargeFixture): LargeFixture {
  return { ...fixture, visitors: fixture.visitors.slice(1) }
}

/** One viewer keeps 300 requests open: deep pages, rare searches, downloads and made-up MSNs. */
async function measureViewer(fixture: LargeFixture, portal: RunningProcess, quiet: number): Promise<void> {
  const over = new AbortController()
  const list = `${fixture.url}/partners/${largeId}/sales-units`
  const headers = JSON.stringify(fixture.visitors[0])
  const viewer = spawn(process.execPath, [join(import.meta.dirname, 'abuser.ts'), list, headers], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanup.defer(() => void viewer.kill())
  // It has a machine of its own; here it takes the time that the portal, the database and this process leave.
  setPriority(viewer.pid ?? 0, constants.priority.PRIORITY_LOW)
  const [before, probes] = [portal.residentMb(), probe(fixture, over.signal)]
  let most = before
  const watching = setInterval(() => (most = Math.max(most, portal.residentMb())), 250)
  const times = await openLoop(others(fixture), pagesOf(fixture, smallId), quietLoad).finally(() => {
    over.abort()
    clearInterval(watching)
    viewer.kill()
  })
  const sent = (await text(viewer.stdout)).trim()
  const slow = quantile(times, 0.99)
  const note = `${quiet.toFixed(1)} → ${slow.toFixed(1)} ms, ${sent} requests`
  atMost('one viewer with 300 requests at once: p99 of another partner', slow / quiet, 3, ' ×', note)
  atMost('one viewer: slowest /readyz', Math.max(...(await probes)), 200, ' ms')
  atMost('one viewer: memory', most - before, 100, ' MB')
}

/** The times of /readyz, asked five times a second. */
async function probe({ url }: LargeFixture, signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  while (!signal.aborted) {
    const began = performance.now()
    await (await fetch(`${url}/readyz`, { headers: { Connection: 'close' } })).bytes()
    times.push(performance.now() - began)
    await sleep(200)
  }
  return times
}

/** Strangers from 10,000 addresses send 1,000 requests a second to every public route. */
async function measureStrangers(fixture: LargeFixture, quiet: number): Promise<void> {
  const rows = async (): Promise<number> => {
    const counts = written.map((table) => `(select count(*) from ${table})`).join(' + ')
    const { rows: found } = await fixture.db.query<{ count: number }>(`select (${counts})::int as count`)
    return found[0]?.count ?? Number.NaN
  }
  const before = await rows()
  const paths = ['/', '/login', '/auth/callback?code=a&state=b', '/select', '/healthz', '/no-such-page', '/register']
  const navigation = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
  const visitors = Array.from({ length: 10_000 }, (_, index) => ({
    ...navigation,
    'X-Forwarded-For': index % 2 === 0 ? `198.18.${index >> 8}.${index & 255}` : `2001:db8:${index.toString(16)}::1`,
  }))
  const [times] = await Promise.all([
    openLoop(others(fixture), pagesOf(fixture, smallId), quietLoad),
    openLoop({ ...fixture, visitors }, paths, { perSecond: 1000, seconds, accepts: () => true }),
  ])
  const slow = quantile(times, 0.99)
  const note = `${quiet.toFixed(1)} → ${slow.toFixed(1)} ms`
  atMost('strangers, 1,000 requests a second: p99 of signed-in users', slow / quiet, 3, ' ×', note)
  atMost('strangers: rows written', (await rows()) - before, 1000)
}

/** The API sends 60 MB, deep nesting and a record of 10 MB; the lists of the small partner are read again each time. */
async function measureAnswers(fixture: LargeFixture, portal: RunningProcess): Promise<void> {
  for (const answer of ['60 MB', '200,000 nested arrays', 'a record of 10 MB'] as const) {
    await fixture.api.set({ hugeAnswer: answer })
    const before = portal.residentMb()
    let most = before
    const watching = setInterval(() => (most = Math.max(most, portal.residentMb())), 50)
    await readLists(fixture.db, `partner/${smallId}`)
    clearInterval(watching)
    atMost(`the API sends ${answer}: memory`, most - before, 150, ' MB')
    const headers = fixture.visitors[0] ?? {}
    const page = await fetch(`${fixture.url}/partners/${smallId}/sales-units`, { headers })
    atMost(`the API sends ${answer}: page`, (await page.bytes()).byteLength / 1024, 200, ' KB')
    await fixture.api.set({})
  }
}
