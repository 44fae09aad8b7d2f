import { readConfig } from '../src/config.ts'
import { type Portal, startPortal } from '../src/portal.ts'
import { serve } from './ipc.ts'
import { createMeter } from './meter.ts'

/** The whole portal in a process of its own, with what it uses. */
export type PortalHandlers = typeof handlers

const meter = createMeter()
let portal: Portal | undefined

const running = (): Portal => {
  if (!portal) throw new Error('not started')
  return portal
}

const handlers = {
  start: async (env: Readonly<Record<string, string>>): Promise<void> => {
    portal = await startPortal(readConfig(env))
  },
  resetMeter: () => meter.reset(),
  readMeter: () => meter.read(),
  beat: async () => running().sync.beat(),
  /** How many jobs of the sync are under way. */
  jobs: () => running().sync.running(),
  /** SQL on the portal's own database, which may be one that no other process can open. */
  query: async (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> => {
    const { rows } = await running().database.pool.query<Record<string, unknown>>(text, [...values])
    return rows
  },
  stop: async () => running().stop(),
}

serve(handlers)
