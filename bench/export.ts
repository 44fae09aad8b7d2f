import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { Browser } from '../test/support/browser.ts'
import { memoryOf, idleUse } from './first-list.ts'
import type { Reporter } from './results.ts'
import type { RunningPortal } from './stage.ts'
import { visitors } from './visitor.ts'
import { largeId } from './world.ts'

type Taken = { readonly firstByteMs: number; readonly totalMs: number; readonly bytes: number }

const download = async (url: string, Cookie: string): Promise<Taken> => {
  const began = performance.now()
  const [answer] = (await once(get(url, { headers: { Cookie } }), 'response')) as [IncomingMessage]
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`)
  let [firstByteMs, bytes] = [0, 0]
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    firstByteMs ||= performance.now() - began
    bytes += chunk.length
  }
  return { firstByteMs, totalMs: performance.now() - began, bytes }
}

/** All sales units of the large partner as files. */
export const measureExport = async (portal: RunningPortal, report: Reporter): Promise<void> => {
  const browser = new Browser(portal.url)
  await browser.signIn(visitors[1]?.name ?? '')
  const cookie = `portal=${browser.cookie('portal')}`
  const list = `${portal.url}/partners/${largeId}/sales-units`
  for (const extension of ['csv', 'xlsx']) {
    // The first one compiles what it uses.
    await download(`${list}.${extension}?q=oslo`, cookie)
    const idle = await idleUse(portal)
    await portal.ask.resetMeter()
    const { firstByteMs, totalMs, bytes } = await download(`${list}.${extension}`, cookie)
    const busy = await portal.ask.readMeter()
    const size = `${(totalMs / 1000).toFixed(1)} s, ${(bytes / 1024 / 1024).toFixed(1)} MB in all`
    report.atMost(`export of 100 000 sales units, ${extension}: first byte`, firstByteMs, 300, ' ms', size)
    const memory = memoryOf(idle, busy)
    report.atMost(`export, ${extension}: extra memory`, memory.value, 50, ' MB', memory.note)
    report.tell(
      `export, ${extension}: event loop delay`,
      `p99 ${busy.delay.p99.toFixed(0)} ms, most ${busy.delay.max.toFixed(0)} ms`,
    )
  }
}
