import express from 'express'
import type { Logger } from '../src/logger.ts'
import { requireCaller, requireSystemHeaders } from './management-api/caller.ts'
import { answerProblem, Problem } from './management-api/problems.ts'
import { oddAnswers } from './management-api/oddities.ts'
import { recordRequests, type RequestRecord } from './management-api/requests.ts'
import { resourceRoutes } from './management-api/resources.ts'
import { claimedCaller, createTokens, tokenRoutes } from './management-api/tokens.ts'
import { applyFaults, noFaults, type Faults } from './management-api/faults.ts'
import type { DemoWorld } from './world/types.ts'

/** The demo Management API. */
export type DemoManagementApi = {
  app: express.Express
  /** May be changed while the API runs. */
  faults: Faults
  /** The last 10 000 requests, oldest first. */
  requests: RequestRecord[]
}

/** Options of createDemoManagementApi. */
export type DemoManagementApiOptions = {
  logger: Logger
  /** The initial faults, by default none. Copied: later changes go to the returned `faults`. */
  faults?: Partial<Omit<Faults, 'revokeTokens'>>
  /** The lifetime of every token; by default 24 hours (standard) and 15 minutes (management). */
  tokenLifetimeSeconds?: number
  /** Sends byte order marks, doubled members and answers of the gateway. */
  oddities?: boolean
}

/**
 * The read endpoints of the Management API, its token endpoints and the Webhooks API, served from `world` like the real
 * ones: same validation, same tenant isolation, same quirks. The caller listens.
 */
export function createDemoManagementApi(
  world: DemoWorld,
  { logger, faults: initialFaults, tokenLifetimeSeconds, oddities = false }: DemoManagementApiOptions,
): DemoManagementApi {
  const tokens = createTokens()
  const faults: Faults = { ...noFaults(() => tokens.revokeAll()), ...initialFaults }
  const requests: RequestRecord[] = []

  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(recordRequests(requests, logger))
  app.use(applyFaults(faults, (req) => claimedCaller(world, tokens, req)))
  app.use(requireSystemHeaders)
  app.use(tokenRoutes(world, tokens, tokenLifetimeSeconds))
  app.use(requireCaller(world, tokens))
  if (oddities) app.use(oddAnswers())
  app.use(resourceRoutes(world))
  app.use(() => {
    throw new Problem(404, 'Resource not found.')
  })
  app.use(answerProblem)
  return { app, faults, requests }
}
