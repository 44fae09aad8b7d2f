import { NotFoundError, NotSharedError, UpstreamError } from '../errors.ts'

/** What a page can do without: undefined when the API does not give it just now. Other errors are thrown on. */
export const optional = async <Value>(reading: Promise<Value>): Promise<Value | undefined> => {
  try {
    return await reading
  } catch (error) {
    // NotFoundError: an identifier that the API gave us and would not take back.
    const known = [UpstreamError, NotSharedError, NotFoundError].some((kind) => error instanceof kind)
    if (known) return undefined
    throw error
  }
}
