import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { start } from '../test/support/process.ts'
import { atEnd } from './ending.ts'
import { startFlags } from './ipc.ts'
import type { Reporter } from './results.ts'
import type { Stage } from './stage.ts'
import { median } from './statistics.ts'
import { freePort, signIn } from './visitor.ts'
import { largeId } from './world.ts'

const starts = 5
const idleMs = 10_000
const views = 4000
const atOnce = 8

const statusOf = async (url: string): Promise<number> => {
  const { promise, resolve } = Promise.withResolvers<number>()
  get(url, (answer) => {
    answer.resume()
    resolve(answer.statusCode ?? 0)
  }).on('error', () => resolve(0))
  return promise
}

/** Resident memory in MB. */
const residentOf = (pid: number | undefined): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** Starts `npm start`'s process as it is in production. @returns it, and how long it took until it was ready */
const startProduction = async ({ env, eid }: Stage) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  eid.servePortal(url)
  const began = performance.now()
  const process = start('start.js', {
    cwd: tmpdir(),
    env: { ...env, PORT: String(port), PORTAL_URL: url },
    execArgv: startFlags,
  })
  atEnd(() => {
    process.child.kill('SIGKILL')
  })
  while ((await statusOf(`${url}/readyz`)) !== 200) await sleep(5)
  const readyMs = performance.now() - began
  const stop = async (): Promise<void> => {
    process.child.kill('SIGTERM')
    await process.ended
  }
  return { url, readyMs, pid: process.child.pid, stop }
}

/** How soon the process is ready on a database that is migrated already, and the memory it takes: idle, and under load. */
export const measureFootprint = async (stage: Stage, report: Reporter): Promise<void> => {
  const ready: number[] = []
  for (let number = 0; number < starts; number += 1) {
    const portal = await startProduction(stage)
    ready.push(portal.readyMs)
    await portal.stop()
  }
  report.atMost('ready on a migrated database', median(ready), 1000, ' ms', `of ${starts} starts`)

  const portal = await startProduction(stage)
  await sleep(idleMs)
  report.atMost('memory of the process, idle', residentOf(portal.pid), 120, ' MB', 'resident')
  const crowd = await signIn(portal.url, { connections: atOnce, compressed: true })
  const paths = ['', '/product-orders', '/sales-units', '/sales-units?q=fitness', '/price-packages']
  let [left, most] = [views, 0]
  const work = async (): Promise<void> => {
    while ((left -= 1) >= 0) {
      await crowd.view(`/partners/${largeId}${paths[left % paths.length]}`)
      if (left % 50 === 0) most = Math.max(most, residentOf(portal.pid))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  report.atMost(`memory of the process, ${views} pages on end`, most, 260, ' MB', 'resident, at most')
  await portal.stop()
}
