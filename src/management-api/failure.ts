import { type Purpose, type UpstreamError, UpstreamBusyError, UpstreamNotFoundError } from '../errors.ts'
import { UpstreamRefusedError, UpstreamUnavailableError } from '../errors.ts'
import type { Failed } from './http.ts'

/**
 * The error of a failed call. @param refusals the statuses that refuse the credentials, unless the API asks to wait
 */
export function failureOf(purpose: Purpose, outcome: Failed, refusals: readonly number[] = [401, 403]): UpstreamError {
  const { status, title, traceId, said, reason, wait, refused } = outcome
  const failure = { purpose, status, title, traceId, said }
  const cause = { cause: new Error(reason) }
  if (wait || (refused && status === 429)) return new UpstreamBusyError(failure, cause)
  if (status !== undefined && refusals.includes(status)) return new UpstreamRefusedError(failure, cause)
  if (status === 404 && purpose !== 'token') return new UpstreamNotFoundError(failure, cause)
  return new UpstreamUnavailableError(failure, cause)
}
