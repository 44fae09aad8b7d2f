import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from './ipc.ts'
import { createMeter } from './meter.ts'

/** What a page costs that is nothing but its bytes: node:http and a template literal, in a process of its own. */
export type BareHandlers = typeof handlers

const meter = createMeter()

const handlers = {
  /** @param html a page with a table @returns where it is served */
  start: async (html: string): Promise<string> => {
    const [head = '', ...rows] = html.split('<tr')
    const server = createServer((_req, res) => {
      res.setHeader('Content-Type', 'text/html; charset=utf-8')
      res.end(`${head}${rows.map((row) => `<tr${row}`).join('')}`)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  resetMeter: () => meter.reset(),
  readMeter: () => meter.read(),
}

serve(handlers)
