import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import {
  type ClientOptions,
  createManagementApiClient,
  type ManagementApiClient,
} from '../../src/management-api/client.ts'
import type { Keys } from '../../src/management-api/keys.ts'
import type { Pace } from '../../src/management-api/limiter.ts'
import type { Partner } from '../../src/organisation.ts'
import { sharedPace } from '../../src/sync/setup.ts'
import type { PaceLimits } from '../../src/store/api-pace.ts'
import type { Database } from '../../src/store/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

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
} as const satisfies Record<Keys['type'], Keys>

export type LogLine = Readonly<Record<string, unknown>>

export type Fixture = {
  readonly upstream: Upstream
  readonly client: ManagementApiClient
  /** In whose name the client's turns are kept: nobody else's in this file. */
  readonly organisation: Partner
  /** Every line so far, at level trace. */
  readonly log: () => LogLine[]
  readonly logText: () => string
}

let database: Database | undefined

/** To be called once in a file: its clients take their turns from one database. */
export const useDatabase = (): void => {
  beforeAll(async () => {
    database = await openTestDatabase()
  })
  afterAll(async () => database?.close())
}

export const openDatabase = (): Database => {
  if (!database) throw new Error('the file has not called useDatabase()')
  return database
}

/** The turns of an organisation, as one more instance of the portal takes them. */
export const paceOf = (organisation: Partner, limits: PaceLimits): Pace =>
  sharedPace(openDatabase(), organisation, limits, randomUUID())

let fixtures = 0
/** An organisation of which nobody has asked for turns yet. */
export const newOrganisation = (): Partner => ({
  kind: 'partner',
  id: String(500_000 + (fixtures += 1)),
  name: 'Turns',
})

/**
 * A client of a fresh upstream, quick to retry; it ends with the test.
 * @param options.beside shares its upstream and turns, as another instance of the portal does
 */
export const createFixture = async (
  options: Partial<ClientOptions> & { readonly tokenLifetime?: number; readonly beside?: Fixture } = {},
): Promise<Fixture> => {
  const { tokenLifetime, limits, beside, ...rest } = options
  const upstream = beside?.upstream ?? (await startUpstream(tokenLifetime))
  if (!beside) onTestFinished(() => upstream.close())
  const organisation = beside?.organisation ?? newOrganisation()
  const paceLimits = { maxConcurrency: 10, maxPerSecond: 1000, timeoutMs: 10_000, ...limits }
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
    limits: { retryDelayMs: 5, ...paceLimits },
    pace: paceOf(organisation, paceLimits),
    ...rest,
  })
  const log = () =>
    logText
      .split('\n')
      .filter(Boolean)
      .map((line): LogLine => JSON.parse(line))
  return { upstream, client, organisation, log, logText: () => logText }
}

/** What `promise` rejects with; fails when it does not. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('did not reject')),
    (error: unknown) => error,
  )

export const salesUnitsPath = '/management/v1/sales-units'
