import { createServer, type RequestListener } from 'node:http'
import { json } from 'node:stream/consumers'
import { createDemoManagementApi } from '../demo/management-api.ts'
import { createLogger } from '../src/logger.ts'
import { createWorld, smallId } from './world.ts'

/** The faults of the API; none by default. */
export type ApiFaults = {
  readonly latencyMs?: number
  readonly rateLimitPerSecond?: number
  /** Calls of partners whose number ends in 0 are accepted and never answered; token requests are. */
  readonly everyTenthSilent?: boolean
  /** The small partner's list of sales units is this instead. */
  readonly hugeAnswer?: keyof typeof hugeAnswers
}

/** A call other than a token request: its time, and its status, which is 0 until it is answered. */
export type Call = { readonly at: number; status: number }

const unit = (index: number, bytes: number) => ({ msn: String(800_000 + index), name: 'Huge', note: 'x'.repeat(bytes) })
/** JSON texts that a list may be. */
const hugeAnswers = {
  '60 MB': () => JSON.stringify(Array.from({ length: 240 }, (_, index) => unit(index, 250_000))),
  '200,000 nested arrays': () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  'a record of 10 MB': () => JSON.stringify([unit(0, 10_000_000), unit(1, 10)]),
}

const [port, sizes] = process.argv.slice(2)
const world = createWorld(JSON.parse(sizes ?? '') as number[])
const api = createDemoManagementApi(world, { logger: createLogger('silent') })
let faults: ApiFaults = {}
let calls: Call[] = []

createServer(async (req, res) => {
  if (req.url === '/bench') {
    // For the benchmark: GET returns the calls, PUT sets faults and resets the calls.
    if (req.method === 'PUT') {
      faults = (await json(req)) as ApiFaults
      Object.assign(api.faults, faults)
      calls = []
    }
    res.end(JSON.stringify(calls))
    return
  }
  if (!/token/.test(req.url ?? '')) {
    const call: Call = { at: Date.now(), status: 0 }
    calls.push(call)
    res.on('finish', () => (call.status = res.statusCode))
    const caller = String(req.headers['ocp-apim-subscription-key'])
    if (faults.hugeAnswer && caller === smallId && req.url === '/management/v1/sales-units') {
      res.setHeader('Content-Type', 'application/json').end(hugeAnswers[faults.hugeAnswer]())
      return
    }
    if (faults.everyTenthSilent && caller.endsWith('0')) return
  }
  ;(api.app as RequestListener)(req, res)
}).listen(Number(port), '127.0.0.1')
