import { createServer, type RequestListener } from 'node:http'
import { json } from 'node:stream/consumers'
import { createDemoManagementApi } from '../demo/management-api.ts'
import { createLogger } from '../src/logger.ts'
import { createWorld } from './world.ts'

/** The faults of the API; none by default. */
export type ApiFaults = {
  readonly latencyMs?: number
  readonly rateLimitPerSecond?: number
  /** Calls of partners whose number ends in 0 are accepted and never answered; token requests are. */
  readonly everyTenthSilent?: boolean
}

/** A call other than a token request: its time, and its status, which is 0 until it is answered. */
export type Call = { readonly at: number; status: number }

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
    if (faults.everyTenthSilent && String(req.headers['ocp-apim-subscription-key']).endsWith('0')) return
  }
  ;(api.app as RequestListener)(req, res)
}).listen(Number(port), '127.0.0.1')
