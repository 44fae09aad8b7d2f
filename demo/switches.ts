import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { Faults } from './management-api/faults.ts'

/** The command-line switches of the demo. */
export type DemoSwitches = {
  /** The number of sales units of the large partner, 23456. */
  readonly salesUnits: number
  readonly faults: Pick<Faults, 'latencyMs' | 'failRate' | 'rateLimitPerSecond' | 'down'>
  /** The demo API sends every oddity that the portal reads. */
  readonly oddities: boolean
  /** Deletes the data of earlier starts. */
  readonly reset: boolean
  readonly log: string
  /** The portal's port; the demo eID and the demo API take the next two. Undefined: those of the last start. */
  readonly port?: number | undefined
  /** Only prints the usage. */
  readonly help: boolean
}

/** Thrown for invalid switches; the message has one line per error. */
export class DemoSwitchError extends Error {
  override readonly name = 'DemoSwitchError'
}

/** What `--help` prints. */
export const demoUsage = `npm run demo -- [switches]    start the portal with a demo eID and a demo Management API

  --sales-units <number>    sales units of partner 23456, 1 to 400000 (1200)
  --latency <ms>            latency of the demo API, 0 to 60000 (0)
  --fail-rate <share>       share of its answers that fail, 0 to 1 (0)
  --rate-limit <number>     its rate limit per organisation and second, 1 to 10000 (no limit);
                            the portal then stays within it
  --down                    the demo API does not answer
  --port <number>           port of the portal, 1 to 65533, also as PORT (that of the last start, else 3000);
                            the demo eID and the demo API take the next two
  --oddities                partner 12345 has records with odd members, and gateways answer for other businesses
  --reset                   delete ./data and start afresh
  --log <level>             log level of the portal, such as info (warn)
  --help, -h                show this text`

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const schema = z.object({
  'sales-units': whole(1, 400_000).default(1200),
  latency: whole(0, 60_000).default(0),
  'fail-rate': number(/^(\d+(\.\d+)?|\.\d+)$/, [0, 1], 'a number').default(0),
  'rate-limit': whole(1, 10_000).nullable().default(null),
  down: z.boolean().default(false),
  oddities: z.boolean().default(false),
  reset: z.boolean().default(false),
  log: z.enum(levels, `must be one of ${levels.join(', ')}`).default('warn'),
  port: whole(1, 65_533).optional(),
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
  oddities: flag,
  reset: flag,
  log: option,
  port: option,
  help: { ...flag, short: 'h' },
} as const

/**
 * Parses the switches after `npm run demo --`.
 * @param port the variable PORT, which `--port` overrides
 * @throws DemoSwitchError with every error
 */
export function parseDemoSwitches(argv: readonly string[], port?: string): DemoSwitches {
  const parsed = schema.safeParse({ port: port === '' ? undefined : port, ...valuesOf(argv) })
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `--${path.join('.')} ${message}`)
    throw new DemoSwitchError([...new Set(problems)].join('\n'))
  }
  const { latency, down, oddities, reset, log, port: chosen, help, ...rest } = parsed.data
  return {
    salesUnits: rest['sales-units'],
    faults: {
      latencyMs: latency,
      failRate: rest['fail-rate'],
      rateLimitPerSecond: rest['rate-limit'],
      down,
    },
    oddities,
    reset,
    log,
    ...(chosen === undefined ? {} : { port: chosen }),
    help,
  }
}

function valuesOf(argv: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args: [...argv], options }).values
  } catch (error) {
    throw new DemoSwitchError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** The demo API's faults as a sentence, for the start message. */
export function describeFaults({ latencyMs, failRate, rateLimitPerSecond, down }: DemoSwitches['faults']) {
  if (down) return 'is down'
  const faults = [
    latencyMs > 0 && `answers after ${latencyMs} ms`,
    failRate > 0 && `fails ${Math.round(failRate * 10_000) / 100} % of the calls`,
    rateLimitPerSecond !== null && `takes ${rateLimitPerSecond} calls a second from an organisation`,
  ].filter((fault) => fault !== false)
  return faults.length === 0 ? 'answers at once' : faults.join(', ')
}

function whole(least: number, most: number) {
  return number(/^\d{1,9}$/, [least, most], 'a whole number')
}

/** A decimal number in a range. Stricter than Number(), which accepts '', 0x10 and 1e5. */
function number(pattern: RegExp, [least, most]: readonly [number, number], kind: string) {
  const message = `must be ${kind} from ${least} to ${most}`
  return z
    .string()
    .regex(pattern, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
}
