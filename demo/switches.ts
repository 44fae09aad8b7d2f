import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { Faults } from './management-api/faults.ts'

/** What the demo can be told when it starts: createDemoWorld, createDemoManagementApi and startDemo take it as it is. */
export type DemoSwitches = {
  /** Of the large partner, 23456. */
  readonly salesUnits: number
  readonly faults: Pick<Faults, 'latencyMs' | 'failRate' | 'rateLimitPerSecond' | 'down'>
  /** Throws away what earlier starts left. */
  readonly reset: boolean
  readonly log: string
  /** Only to be told what there is. */
  readonly help: boolean
}

/** Thrown when the switches make no sense; its message says which and why, one a line. */
export class DemoSwitchError extends Error {
  override readonly name = 'DemoSwitchError'
}

/** What `--help` prints. */
export const demoUsage = `npm run demo -- [switches]    start the portal with a demo eID and a demo Management API

  --sales-units <number>    how many partner 23456 has, 1 to 400000 (1200)
  --latency <ms>            the demo API waits so long before it answers, 0 to 60000 (0)
  --fail-rate <share>       the share of its answers that are failures, 0 to 1 (0)
  --rate-limit <number>     calls a second that it takes from an organisation, 1 to 10000 (no limit);
                            the portal then makes no more than these
  --down                    it answers nothing
  --reset                   afresh: throws away ./data
  --log <level>             with the portal's log, such as info (warn)
  --help                    this text`

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const schema = z.object({
  'sales-units': whole(1, 400_000).default(1200),
  latency: whole(0, 60_000).default(0),
  'fail-rate': number(/^(\d+(\.\d+)?|\.\d+)$/, [0, 1], 'a number').default(0),
  'rate-limit': whole(1, 10_000).nullable().default(null),
  down: z.boolean().default(false),
  reset: z.boolean().default(false),
  log: z.enum(levels, `must be one of ${levels.join(', ')}`).default('warn'),
  help: z.boolean().default(false),
})

const option = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const options = {
  'sales-units': option,
  latency: option,
  'fail-rate': option,
  'rate-limit': option,
  down: flag,
  reset: flag,
  log: option,
  help: flag,
}

/**
 * The demo's switches, as they stand behind `npm run demo --`.
 * @throws DemoSwitchError naming every mistake
 */
export function parseDemoSwitches(argv: readonly string[]): DemoSwitches {
  const parsed = schema.safeParse(valuesOf(argv))
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `--${path.join('.')} ${message}`)
    throw new DemoSwitchError([...new Set(problems)].join('\n'))
  }
  const { latency, down, reset, log, help, ...rest } = parsed.data
  return {
    salesUnits: rest['sales-units'],
    faults: {
      latencyMs: latency,
      failRate: rest['fail-rate'],
      rateLimitPerSecond: rest['rate-limit'],
      down,
    },
    reset,
    log,
    help,
  }
}

function valuesOf(argv: readonly string[]): unknown {
  try {
    return parseArgs({ args: [...argv], options }).values
  } catch (error) {
    throw new DemoSwitchError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** The demo API's faults in a sentence, for whoever starts the demo. */
export function describeFaults({ latencyMs, failRate, rateLimitPerSecond, down }: DemoSwitches['faults']) {
  if (down) return 'is down'
  const clouds = [
    latencyMs > 0 && `answers after ${latencyMs} ms`,
    failRate > 0 && `fails ${Math.round(failRate * 10_000) / 100} % of the calls`,
    rateLimitPerSecond !== null && `takes ${rateLimitPerSecond} calls a second from an organisation`,
  ].filter((cloud) => cloud !== false)
  return clouds.length === 0 ? 'answers at once' : clouds.join(', ')
}

function whole(least: number, most: number) {
  return number(/^\d{1,9}$/, [least, most], 'a whole number')
}

/** A number as people write it, in a range. Not what Number() takes: that is '' and 0x10 and 1e5, too. */
function number(pattern: RegExp, [least, most]: readonly [number, number], kind: string) {
  const words = `must be ${kind} from ${least} to ${most}`
  return z
    .string()
    .regex(pattern, words)
    .transform(Number)
    .refine((value) => value >= least && value <= most, words)
}
