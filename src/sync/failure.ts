import { UpstreamError, UpstreamRefusedError } from '../errors.ts'

/** The failure for the sync state. @throws the error itself when it is not a failure of the API */
export function failureOf(error: unknown): 'refused' | 'unavailable' {
  if (!(error instanceof UpstreamError)) throw error
  return error instanceof UpstreamRefusedError ? 'refused' : 'unavailable'
}
