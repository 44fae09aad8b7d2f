import { UpstreamError, UpstreamRefusedError } from '../errors.ts'

/** How a reading failed, in the store's words. @throws what is not the API's doing, which is a fault of ours */
export function failureOf(error: unknown): 'refused' | 'unavailable' {
  if (!(error instanceof UpstreamError)) throw error
  return error instanceof UpstreamRefusedError ? 'refused' : 'unavailable'
}
