import { NotSharedError, UpstreamError } from '../errors.ts'

/** What a page can do without: undefined when the API does not give it just now. Other errors are thrown on. */
export const optional = async <Value>(reading: Promise<Value>): Promise<Value | undefined> => {
  try {
    return await reading
  } catch (error) {
    if (error instanceof UpstreamError || error instanceof NotSharedError) return undefined
    throw error
  }
}
