import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A process of its own: one viewer who keeps 300 requests open until SIGTERM, and then prints how many there were.
 * Arguments: the address of a list of sales units, and the headers of the viewer as JSON.
 */
const [list = '', headers = '{}'] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 300 })
const options = { agent, headers: JSON.parse(headers) as Record<string, string> }
let sent = 0

/** Deep pages, rare searches, downloads and made-up MSNs. */
function worst(index: number): string {
  const queries = [
    `?q=as&sort=merchant&size=100&page=${1 + (index % 100)}`,
    `?q=zq${index % 97}&sort=-seen`,
    '.csv',
    '.xlsx',
    `/${9_000_000 + index}`,
  ]
  return `${list}${queries[index % queries.length]}`
}

async function ask(url: string): Promise<void> {
  const [response] = (await once(get(url, options), 'response')) as [IncomingMessage]
  await once(response.resume(), 'close')
}

async function askOn(): Promise<never> {
  for (;;) {
    sent += 1
    // What the portal refuses or cuts off is part of the abuse.
    await ask(worst(sent)).catch(async () => sleep(10))
  }
}

process.once('SIGTERM', () => process.stdout.write(`${sent}\n`, () => process.exit()))
await Promise.all(Array.from({ length: 300 }, askOn))
