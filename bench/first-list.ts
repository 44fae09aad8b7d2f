import { setTimeout as sleep } from 'node:timers/promises'
import { describeDelays, type Measured } from './meter.ts'
import type { Reporter } from './results.ts'
import { completeStage, type Stage, startPortalOf, untilListsRead } from './stage.ts'
import { largeId, smallId } from './world.ts'

const idleMs = 1500

/** The memory that a piece of work took beyond what the idle process had. */
export const memoryOf = (idle: Measured, busy: Measured): { value: number; note: string } => ({
  value: busy.rssMb - idle.rssMb,
  note: `resident, ${idle.rssMb.toFixed(0)} MB idle`,
})

/** What the process has while it does nothing. */
export const idleUse = async (portal: {
  ask: { resetMeter: () => Promise<void>; readMeter: () => Promise<Measured> }
}): Promise<Measured> => {
  await portal.ask.resetMeter()
  await sleep(idleMs)
  return portal.ask.readMeter()
}

/** Has the portal read all lists for the first time, by HTTP, then writes the details that would take it hours. */
export const fillStage = async (stage: Stage, report: Reporter): Promise<void> => {
  await stage.api.ask.weather({ down: true })
  const portal = await startPortalOf(stage)
  const idle = await idleUse(portal)
  await stage.api.ask.weather({ down: false })
  await portal.ask.query(`update sync_state set due_at = 'epoch'`)
  await portal.ask.query(`update api_pace set trips = 0, held_until = null`)
  await portal.ask.resetMeter()
  await portal.ask.beat()
  for (const id of [largeId, smallId]) await untilListsRead(portal, `partner/${id}`, 'epoch')
  const used = await portal.ask.readMeter()
  await portal.stop()
  const [row] = [stage.world.salesUnits.length]
  const memory = memoryOf(idle, used)
  report.tell(
    `first lists, ${row} sales units`,
    `${(used.wallMs / 1000).toFixed(1)} s, ${(used.cpuMs / 1000).toFixed(1)} s of CPU (${(used.mainCpuMs / 1000).toFixed(1)} s main thread)`,
  )
  report.tell(
    'first lists: event loop delay',
    `p99 ${used.delay.p99.toFixed(0)} ms (${describeDelays([used])})`,
  )
  report.tell('first lists: memory', `+${memory.value.toFixed(0)} MB (${memory.note})`)
  const began = performance.now()
  await completeStage(stage)
  console.log(`  (details written in ${((performance.now() - began) / 1000).toFixed(0)} s)`)
}
