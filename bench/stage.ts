import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { userIdOf } from '../src/auth/user-id.ts'
import { addGrant } from '../src/store/grants.ts'
import type { DemoWorld } from '../src/demo/world/types.ts'
import type { ApiHandlers } from './api.ts'
import { type Forked, forkProcess } from './ipc.ts'
import { type Place, temporaryDirectory } from './places.ts'
import type { PortalHandlers } from './portal.ts'
import { openPlace, seedDetails, tidyAll } from './seed.ts'
import {
  clientId,
  clientSecret,
  type EidServer,
  freePort,
  signIn,
  startEid,
  type Visitor,
  visitors,
} from './visitor.ts'
import { createBenchWorld, largeId, organisationsOf, partnerOf, smallId, type WorldSize } from './world.ts'

/** A world, its API in a process of its own, and the portal's configuration for one database. */
export type Stage = {
  readonly world: DemoWorld
  readonly place: Place
  readonly api: Forked<ApiHandlers>
  readonly eid: EidServer
  readonly env: Readonly<Record<string, string>>
}

/** A portal that runs in a process of its own. */
export type RunningPortal = Forked<PortalHandlers> & {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** @param partners those that the portal knows */
export const createStage = async (
  place: Place,
  size: WorldSize,
  partners: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Stage> => {
  const world = createBenchWorld(size)
  const api = forkProcess<ApiHandlers>('api.ts')
  const apiUrl = await api.ask.start(size)
  const eid = await startEid()
  const organisations = join(temporaryDirectory(), 'organisations.json')
  writeFileSync(organisations, JSON.stringify(organisationsOf(world, partners)), { mode: 0o600 })
  return {
    world,
    place,
    api,
    eid,
    env: {
      ...place.env,
      SHUTDOWN_DELAY_MS: '0',
      TRUST_PROXY: 'loopback',
      OIDC_ISSUER: eid.issuer,
      OIDC_CLIENT_ID: clientId,
      OIDC_CLIENT_SECRET: clientSecret,
      SESSION_SECRETS: 'session-secret-of-the-bench-0123456789',
      MANAGEMENT_API_URL: apiUrl,
      WEBHOOKS_API_URL: apiUrl,
      ORGANISATIONS_FILE: organisations,
      LOG_LEVEL: 'info',
      ...env,
    },
  }
}

/** Starts the portal of this stage. */
export const startPortalOf = async ({ eid, env }: Stage): Promise<RunningPortal> => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  eid.servePortal(url)
  const portal = forkProcess<PortalHandlers>('portal.ts')
  await portal.ask.start({ ...env, PORT: String(port), PORTAL_URL: url })
  const stop = async (): Promise<void> => {
    await portal.ask.stop()
    await portal.end()
  }
  return { ...portal, url, stop }
}

/** Waits until the sync has nothing under way. */
export const untilIdle = async ({ ask }: RunningPortal): Promise<void> => {
  while ((await ask.jobs()) > 0) await sleep(50)
}

/** Waits until the lists of an organisation have been read since `since`, by the database's clock. */
export const untilListsRead = async ({ ask }: RunningPortal, key: string, since: unknown): Promise<void> => {
  for (;;) {
    const [row] = await ask.query(
      `select count(*)::int as missing from sync_state where organisation = $1 and key = ''
        and (checked_at is null or checked_at < $2)`,
      [key, since],
    )
    if (row?.['missing'] === 0) return
    await sleep(50)
  }
}

/** Fills in what the lists do not have, lets the visitor in, and tidies; the portal does not run meanwhile. */
export const completeStage = async ({ place, world, eid }: Stage): Promise<void> => {
  const database = openPlace(place)
  for (const id of [largeId, smallId]) {
    const partner = partnerOf(world, id)
    await seedDetails(database, partner, world)
    for (const { sub } of visitors)
      await addGrant(database.kysely, partner, userIdOf(eid.issuer, sub), { role: 'developer' })
  }
  await tidyAll(database)
  await database.close()
}

export const visitorOf = async ({ url }: RunningPortal): Promise<Visitor> => signIn(url)
