import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDemoManagementApi } from '../../../demo/management-api.ts'
import type { DemoWorld } from '../../../demo/world/types.ts'
import { createLogger } from '../../../src/logger.ts'

/** A demo Management API that holds back some responses until they are released. */
export type HeldApi = {
  readonly url: string
  /** Answers the pending and all later requests of this kind. */
  readonly release: (kind: keyof typeof held) => void
  readonly stop: () => void
}

/** The requests held back: lists of sales units and orders, and details of each sales unit. */
const held = {
  lists: /^\/management\/v[12]\/(sales-units|product-orders)$/,
  details: /^\/management\/v1\/sales-units\/./,
}

/** @param world the data of the API; the portal's organisations must be of the same world */
export async function startHeldApi(world: DemoWorld): Promise<HeldApi> {
  const { app } = createDemoManagementApi(world, { logger: createLogger('silent') })
  const gates = { lists: Promise.withResolvers<void>(), details: Promise.withResolvers<void>() }
  const answer = app as RequestListener
  const server = createServer(async (req, res) => {
    const { pathname } = new URL(req.url ?? '/', 'http://api')
    if (held.lists.test(pathname)) await gates.lists.promise
    else if (held.details.test(pathname)) await gates.details.promise
    answer(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    release: (kind) => gates[kind].resolve(),
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
