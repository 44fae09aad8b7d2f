import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDemoManagementApi, type DemoManagementApi } from '../src/demo/management-api.ts'
import type { Weather } from '../src/demo/management-api/weather.ts'
import { createLogger } from '../src/logger.ts'
import { serve } from './ipc.ts'
import { createBenchWorld, type WorldSize } from './world.ts'

/** The demo Management API in a process of its own. */
export type ApiHandlers = typeof handlers

let api: DemoManagementApi | undefined

const running = (): DemoManagementApi => {
  if (!api) throw new Error('not started')
  return api
}

const handlers = {
  /** @returns its URL */
  start: async (size: WorldSize): Promise<string> => {
    api = createDemoManagementApi(createBenchWorld(size), { logger: createLogger('silent') })
    const server = createServer(api.app as RequestListener)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  weather: (change: Partial<Pick<Weather, 'latencyMs' | 'rateLimitPerSecond' | 'down'>>): void => {
    Object.assign(running().weather, change)
  },
  /** Forgets the requests so far. */
  forget: (): void => {
    running().requests.length = 0
  },
  /** The latest requests, oldest first, without those for tokens. */
  requests: () =>
    running()
      .requests.map(({ path, status, at }) => ({ path, status, at }))
      .filter(({ path }) => !/token/i.test(path)),
}

serve(handlers)
