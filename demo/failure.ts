import { ConfigurationError } from '../src/config/config.ts'
import { PortalError } from '../src/errors.ts'

/** The numbers of WASI, with which PGlite's file system reports errors, and what they mean. */
const wasiErrors: Readonly<Record<number, string>> = {
  2: 'EACCES: permission denied',
  19: 'EDQUOT: disk quota exceeded',
  51: 'ENOSPC: no space left on device',
  69: 'EROFS: read-only file system',
}

/** The words for an error of the demo's start; undefined for an unexpected one, which is worth its stack. */
export function describeFailure(error: unknown): string | undefined {
  if (error instanceof PortalError || error instanceof ConfigurationError) return error.message
  if (typeof error !== 'object' || error === null || !('errno' in error)) return undefined
  if (error instanceof Error) return error.message
  return wasiErrors[Number(error.errno)] ?? `file system error ${String(error.errno)}`
}
