import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeChanges } from './activity.ts'
import { startPortal } from './fixture.ts'
import { type LargeFixture, pagesOf } from './large-fixture.ts'
import { closedLoop, openLoop } from './load.ts'
import { directory, freePort, type RunningProcess, startProcess } from './processes.ts'
import { atMost, median, quantile, tell } from './report.ts'
import { largeId, smallId } from './world.ts'

/** A bare server that sends a page from a template; its arguments are a port and the page's file. */
const bareServer = `
  const [port, file] = process.argv.slice(1)
  const [head, ...rows] = require('node:fs').readFileSync(file, 'utf8').split('<tr')
  require('node:http').createServer((req, res) => {
    res.setHeader('Content-Type', 'text/html; charset=utf-8')
    res.end(head + rows.map((row) => '<tr' + row).join(''))
  }).listen(port, '127.0.0.1')`

/** Measures pages of the large partner against the small one's, and the list of sales units by itself. */
export async function measurePages(fixture: LargeFixture): Promise<void> {
  const portal = await startPortal(fixture)
  const pages = await comparePages(fixture, [pagesOf(fixture, largeId), pagesOf(fixture, smallId)])
  const worst = pages.reduce((found, next) => (next.ratio > found.ratio ? next : found))
  atMost('14 pages of the large against the small partner, worst', worst.ratio, 1.5, ' ×', worst.note)
  const path = `/partners/${largeId}/sales-units`
  await measureCost(fixture, portal, path)
  const times = await openLoop(fixture, [path], { perSecond: 100, seconds: 20 })
  atMost('sales units, 100 requests a second: p50', median(times), 10, ' ms')
  atMost('sales units, 100 requests a second: p99', quantile(times, 0.99), 60, ' ms')
  await portal.stop()
}

/**
 * Measures Home of the large partner against the small one's, when the large one has 10,000,000 changes of two years.
 * Users come back after three days; sales units, merchants and orders of both were first seen in two years. The changed
 * database is not for other sections.
 */
export async function measureHome(fixture: LargeFixture): Promise<void> {
  const { db } = fixture
  for (const table of ['sales_units', 'merchant_summaries', 'product_orders'])
    await db.query(`update ${table} set first_seen_at = now() - random() * interval '730 days'`)
  await db.query(`update product_orders set changed_at = least(now(), first_seen_at + random() * interval '10 days')`)
  await writeChanges(db, 10_000_000)
  const portal = await startPortal(fixture)
  await db.query(
    `insert into visits (user_id, organisation, last_visit_at)
     select user_id, organisation, now() - interval '3 days' from grants
     on conflict (user_id, organisation) do update set seen_at = now(), last_visit_at = excluded.last_visit_at`,
  )
  const [home] = await comparePages(fixture, [[`/partners/${largeId}`], [`/partners/${smallId}`]])
  atMost('Home of the large partner against the small one', home?.ratio ?? Number.NaN, 1.5, ' ×', home?.note)
  await portal.stop()
}

/** Compares pages of the large partner with those of the small one, in turns, by different visitors. */
async function comparePages(
  fixture: LargeFixture,
  [large, small]: readonly [large: readonly string[], small: readonly string[]],
): Promise<{ readonly ratio: number; readonly note: string }[]> {
  const paths = large.flatMap((path, index) => [path, small[index] ?? ''])
  const requests = fixture.visitors.flatMap((headers, index) =>
    (index % 2 === 0 ? paths : paths.toReversed()).map((path) => ({ path, headers })),
  )
  await closedLoop(fixture.url, requests, paths.length * 6)
  const times = await closedLoop(fixture.url, requests, paths.length * 100)
  const medianOf = (path = ''): number =>
    median(times.filter((_, index) => requests[index % requests.length]?.path === path))
  return large.map((path, index) => {
    const [slow, quick] = [medianOf(path), medianOf(small[index])]
    return { ratio: slow / quick, note: `${path}: ${quick.toFixed(1)} → ${slow.toFixed(1)} ms` }
  })
}

/** Compares the CPU of a page with a server that only sends the same bytes, in turns. */
async function measureCost(fixture: LargeFixture, portal: RunningProcess, path: string): Promise<void> {
  const requests = fixture.visitors.map((headers) => ({ path, headers }))
  const html = await (await fetch(`${fixture.url}${path}`, { headers: requests[0]?.headers ?? {} })).text()
  const file = join(directory, 'page.html')
  writeFileSync(file, html)
  const port = await freePort()
  const bareUrl = `http://127.0.0.1:${port}`
  const bare = await startProcess(['-e', bareServer, port, file], {}, bareUrl)
  async function cpuOfPage({ cpuMs }: RunningProcess, url: string): Promise<number> {
    const before = cpuMs()
    await closedLoop(url, requests, 2000, 8)
    return (cpuMs() - before) / 2000
  }
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < 4; round += 1) {
    ours.push(await cpuOfPage(portal, fixture.url))
    theirs.push(await cpuOfPage(bare, bareUrl))
  }
  await bare.stop()
  // The first round warms up.
  const [page, bytes] = [median(ours.slice(1)), median(theirs.slice(1))]
  const share = `of which bare node:http takes ${(bytes / page).toFixed(3)}`
  tell('sales units, 25 rows: CPU of a page', `${page.toFixed(2)} ms (${share})`)
}

/** Measures the start of the process on a migrated database, and its memory after ten idle seconds. */
export async function measureFootprint(fixture: LargeFixture): Promise<void> {
  const readyMs: number[] = []
  const residentMb: number[] = []
  for (let number = 0; number < 5; number += 1) {
    const portal = await startPortal(fixture)
    readyMs.push(portal.readyMs)
    await sleep(10_000)
    residentMb.push(portal.residentMb())
    await portal.stop()
  }
  atMost('process ready', median(readyMs), 1000, ' ms', 'median of 5')
  atMost('memory of the idle process', median(residentMb), 110, ' MB', 'resident, median of 5')
}
