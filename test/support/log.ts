import { Writable } from 'node:stream'
import { createLogger, type Logger } from '../../src/logger.ts'

/** A logger at level trace that keeps its output, one JSON object per line. */
export function createMemoryLog(): { readonly logger: Logger; readonly log: () => string } {
  const lines: string[] = []
  const write = (chunk: Buffer, _encoding: unknown, done: () => void) => {
    lines.push(chunk.toString())
    done()
  }
  return { logger: createLogger('trace', new Writable({ write })), log: () => lines.join('') }
}
