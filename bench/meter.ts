import { monitorEventLoopDelay } from 'node:perf_hooks'
import { quantile } from './statistics.ts'

/** What a process has used since `reset`. Times in milliseconds, memory in MB. */
export type Measured = {
  /** Of all threads, and of the main thread alone. */
  readonly cpuMs: number
  readonly mainCpuMs: number
  /** The most resident memory, and the most that JavaScript of the main thread holds. */
  readonly rssMb: number
  readonly heapMb: number
  /** How late the event loop was. */
  readonly delay: { readonly p99: number; readonly max: number }
  /** What the main thread computed between two of its looks at the clock: delay that no other process causes. */
  readonly ownDelay: { readonly p99: number; readonly max: number }
  readonly wallMs: number
}

const resolutionMs = 10
const sampleMs = 10
const megabyte = 1024 * 1024

const cpuOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000

/** Measures this process; memory is looked at every 10 ms, and at the end. */
export const createMeter = () => {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  let [began, cpu, main] = [performance.now(), process.cpuUsage(), process.threadCpuUsage()]
  let [rss, heap] = [0, 0]
  let [spans, lookedAt]: [number[], NodeJS.CpuUsage] = [[], process.threadCpuUsage()]
  const sample = (): void => {
    spans.push(cpuOf(process.threadCpuUsage(lookedAt)))
    lookedAt = process.threadCpuUsage()
    const usage = process.memoryUsage()
    rss = Math.max(rss, usage.rss)
    heap = Math.max(heap, usage.heapTotal + usage.external)
  }
  setInterval(sample, sampleMs).unref()
  // The histogram has the time between two looks, of which its own interval is no delay.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs)
  return {
    reset: (): void => {
      ;[began, cpu, main] = [performance.now(), process.cpuUsage(), process.threadCpuUsage()]
      ;[rss, heap] = [0, 0]
      ;[spans, lookedAt] = [[], process.threadCpuUsage()]
      histogram.reset()
    },
    read: (): Measured => {
      sample()
      return {
        cpuMs: cpuOf(process.cpuUsage(cpu)),
        mainCpuMs: cpuOf(process.threadCpuUsage(main)),
        rssMb: rss / megabyte,
        heapMb: heap / megabyte,
        delay: { p99: late(histogram.percentile(99)), max: late(histogram.max) },
        ownDelay: { p99: quantile(spans, 0.99), max: Math.max(...spans) },
        wallMs: performance.now() - began,
      }
    },
  }
}

/** The delays beside the one that must be small. */
export const describeDelays = (all: readonly Measured[]): string => {
  const most = (pick: (measured: Measured) => number) => Math.max(...all.map(pick)).toFixed(0)
  const [p99, max] = [most(({ ownDelay }) => ownDelay.p99), most(({ ownDelay }) => ownDelay.max)]
  return `most ${most(({ delay }) => delay.max)} ms; of it computing: p99 ${p99} ms, most ${max} ms`
}
