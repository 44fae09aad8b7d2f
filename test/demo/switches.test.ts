import { describe, expect, it } from 'vitest'
import { describeFailure } from '../../demo/failure.ts'
import { createDemoManagementApi } from '../../demo/management-api.ts'
import { demoUsage, parseDemoSwitches, describeFaults } from '../../demo/switches.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { createLogger } from '../../src/logger.ts'

function parse(line: string) {
  return parseDemoSwitches(line.split(' ').filter(Boolean))
}

describe('the switches', () => {
  it('default to the ordinary demo', () => {
    expect(parse('')).toEqual({
      salesUnits: 1200,
      faults: { latencyMs: 0, failRate: 0, rateLimitPerSecond: null, down: false },
      oddities: false,
      reset: false,
      log: 'warn',
      help: false,
    })
  })

  it.each([
    ['--sales-units 100000', { salesUnits: 100_000 }],
    ['--sales-units=1', { salesUnits: 1 }],
    ['--sales-units 400000', { salesUnits: 400_000 }],
    ['--latency 200', { faults: { latencyMs: 200 } }],
    ['--latency 60000', { faults: { latencyMs: 60_000 } }],
    ['--fail-rate 0.1', { faults: { failRate: 0.1 } }],
    ['--fail-rate .5', { faults: { failRate: 0.5 } }],
    ['--fail-rate 1', { faults: { failRate: 1 } }],
    ['--rate-limit 20', { faults: { rateLimitPerSecond: 20 } }],
    ['--rate-limit 10000', { faults: { rateLimitPerSecond: 10_000 } }],
    ['--down', { faults: { down: true } }],
    ['--oddities', { oddities: true }],
    ['--reset', { reset: true }],
    ['--log info', { log: 'info' }],
    ['--help', { help: true }],
    ['-h', { help: true }],
    ['--port 4000', { port: 4000 }],
    ['--down --latency 5 --sales-units 7', { salesUnits: 7, faults: { latencyMs: 5, down: true } }],
  ])('parse %s', (line, expected) => {
    expect(parse(line)).toMatchObject(expected)
  })

  it.each([
    ...['0', '400001', 'many', '1e5', '0x10', '1.5', '-5', '', '1 000'].map((value) => [
      `--sales-units=${value}`,
      '--sales-units must be a whole number from 1 to 400000',
    ]),
    ...['60001', '-1', 'x'].map((value) => [`--latency=${value}`, '--latency must be a whole number from 0 to 60000']),
    ...['1.1', '-0.1', '0,1', '10%', '1e-1'].map((value) => [
      `--fail-rate=${value}`,
      '--fail-rate must be a number from 0 to 1',
    ]),
    ...['0', '10001', 'x'].map((value) => [
      `--rate-limit=${value}`,
      '--rate-limit must be a whole number from 1 to 10000',
    ]),
    ...['0', '65534', 'x'].map((value) => [`--port=${value}`, '--port must be a whole number from 1 to 65533']),
    ['--log=loud', '--log must be one of fatal, error'],
    ['--latency', "Option '--latency <value>' argument missing"],
    ['--down=yes', "Option '--down' does not take an argument"],
    ['--dwon', "Unknown option '--dwon'"],
    ['20', "Unexpected argument '20'"],
  ])('refuse %s with a message', (argument, words) => {
    expect(() => parseDemoSwitches([argument])).toThrow(
      expect.objectContaining({ name: 'DemoSwitchError', message: expect.stringContaining(words) }),
    )
  })

  it('report all errors at once', () => {
    expect(() => parse('--sales-units x --rate-limit 0')).toThrow(
      '--sales-units must be a whole number from 1 to 400000\n--rate-limit must be a whole number from 1 to 10000',
    )
  })

  it('are all in the help', () => {
    for (const name of [
      'sales-units',
      'latency',
      'fail-rate',
      'rate-limit',
      'down',
      'oddities',
      'reset',
      'log',
      'help',
    ])
      expect(demoUsage).toContain(`--${name}`)
  })

  it('configure the world and the API', () => {
    const switches = parse('--sales-units 30 --latency 3 --rate-limit 9')
    const world = createDemoWorld(switches)
    expect(world.salesUnits.filter(({ partnerId }) => partnerId === '23456')).toHaveLength(30)
    const { faults } = createDemoManagementApi(world, { ...switches, logger: createLogger('silent') })
    expect(faults).toMatchObject({ latencyMs: 3, rateLimitPerSecond: 9, down: false })
  })
})

it.each([
  ['', 'answers at once'],
  ['--down --latency 5', 'is down'],
  [
    '--latency 200 --fail-rate 0.1 --rate-limit 20',
    'answers after 200 ms, fails 10 % of the calls, takes 20 calls a second from an organisation',
  ],
])('the faults of "%s" are described', (line, words) => {
  expect(describeFaults(parse(line).faults)).toBe(words)
})

it('PORT chooses the port, unless --port does', () => {
  expect(parseDemoSwitches([], '4000').port).toBe(4000)
  expect(parseDemoSwitches(['--port', '5000'], '4000').port).toBe(5000)
  expect(parseDemoSwitches([], '').port).toBeUndefined()
  expect(() => parseDemoSwitches([], 'x')).toThrow('--port must be a whole number')
})

it('a full disk is named in words', () => {
  expect(describeFailure({ name: 'ErrnoError', errno: 51 })).toBe('ENOSPC: no space left on device')
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { errno: -28, code: 'ENOSPC' })
  expect(describeFailure(error)).toBe('ENOSPC: no space left on device, write')
  expect(describeFailure(new Error('a defect'))).toBeUndefined()
})
