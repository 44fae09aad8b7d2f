import { onTestFinished } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import {
  type ClientOptions,
  createManagementApiClient,
  type ManagementApiClient,
} from '../../src/management-api/client.ts'
import type { Credentials } from '../../src/management-api/credentials.ts'
import { startUpstream, type Upstream } from './upstream.ts'

/** Credentials of each type. */
export const keys = {
  management: { type: 'management', clientId: 'id-Mx71', clientSecret: 'secret-Mq93' },
  partner: { type: 'partner', clientId: 'id-Px72', clientSecret: 'secret-Pq94', subscriptionKey: 'sub-Pz55' },
  'sales-unit': {
    type: 'sales-unit',
    clientId: 'id-Sx73',
    clientSecret: 'secret-Sq95',
    subscriptionKey: 'sub-Sz56',
    merchantSerialNumber: '654321',
  },
} as const satisfies Record<Credentials['type'], Credentials>

export type LogLine = Readonly<Record<string, unknown>>

/** A client, its upstream server and its log. */
export type Fixture = {
  readonly upstream: Upstream
  readonly client: ManagementApiClient
  /** The log lines so far, at level trace. */
  readonly log: () => LogLine[]
  readonly logText: () => string
}

/** Creates a client of a new upstream with short retry delays; both are closed with the test. */
export async function createFixture(
  options: Partial<ClientOptions> & { readonly tokenLifetime?: number } = {},
): Promise<Fixture> {
  const { tokenLifetime, limits, ...rest } = options
  const upstream = await startUpstream(tokenLifetime)
  onTestFinished(() => upstream.close())
  let logText = ''
  const logger = createLogger('trace', { write: (line) => void (logText += line) })
  const client = createManagementApiClient({
    organisation: { kind: 'partner', id: '12345', name: 'Fjordkasse' },
    keys: keys.partner,
    managementApiUrl: upstream.url,
    webhooksApiUrl: upstream.url,
    system: {
      name: 'partner-portal',
      version: '1.2.3',
      pluginName: 'a name of more than thirty characters',
      pluginVersion: '4',
    },
    logger,
    limits: { retryDelayMs: 5, maxPerSecond: 1000, ...limits },
    ...rest,
  })
  const log = () =>
    logText
      .split('\n')
      .filter(Boolean)
      .map((line): LogLine => JSON.parse(line))
  return { upstream, client, log, logText: () => logText }
}

/** Resolves to the reason of the rejection; fails when `promise` resolves. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error('did not reject')),
    (error: unknown) => error,
  )
}

export const salesUnitsPath = '/management/v1/sales-units'

/** Deterministic random integers below a limit (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
