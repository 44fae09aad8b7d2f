import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon, { type Options, type Request } from 'autocannon'
import type { LargeFixture } from './large-fixture.ts'

/**
 * Each connection sends its next request when the last one is answered. @returns milliseconds in the order of answers
 */
export async function closedLoop(url: string, requests: Request[], amount: number, connections = 1) {
  const times: number[] = []
  const setupClient: Options['setupClient'] = (client) => {
    client.on('response', (_status, _bytes, ms) => times.push(ms))
  }
  const result = await autocannon({ url, requests, amount, connections, setupClient, sampleInt: 100 })
  const failed = result.non2xx + result.errors
  if (failed > 0) throw new Error(`${failed} of ${amount} requests to ${url} failed`)
  return times
}

/**
 * Sends requests evenly spaced in time, whether or not earlier ones are answered. autocannon sends the requests of a
 * second at its beginning and waits for the answers, which would measure bursts.
 * @returns milliseconds from the time when each request was due
 */
export async function openLoop(
  { url: portalUrl, visitors }: Pick<LargeFixture, 'url' | 'visitors'>,
  paths: readonly string[],
  load: { readonly perSecond: number; readonly seconds: number; readonly accepts?: (status: number) => boolean },
): Promise<number[]> {
  const { perSecond, seconds, accepts = (status) => status === 200 } = load
  // The portal closes connections that are idle for five seconds.
  const agent = new Agent({ keepAlive: true, maxSockets: 100, timeout: 2000 })
  const began = performance.now()
  const times = Array.from({ length: perSecond * seconds }, async (_, index) => {
    const due = began + (index * 1000) / perSecond
    await sleep(Math.max(1, due - performance.now()))
    const url = `${portalUrl}${paths[index % paths.length]}`
    const request = get(url, { agent, headers: visitors[index % visitors.length] ?? {} })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    if (!accepts(response.statusCode ?? 0)) throw new Error(`${url} answered ${response.statusCode}`)
    await once(response.resume(), 'end')
    return performance.now() - due
  })
  return Promise.all(times).finally(() => agent.destroy())
}
