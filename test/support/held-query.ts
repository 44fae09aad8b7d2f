import type { Pool } from 'pg'

type Query = (text: string, values?: unknown[]) => Promise<unknown>

/**
 * Holds up the first query that begins like this, as a slow request would be, until `meanwhile` is over.
 * @param begin starts the request whose query it is
 * @returns what `begin` resolves to
 */
export const whileHeld = async <T>(
  pool: Pool,
  beginning: string,
  begin: () => Promise<T>,
  meanwhile: () => Promise<void>,
): Promise<T> => {
  const original = pool.query.bind(pool) as Query
  const [held, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow: Query = async (text, values) => {
    if (typeof text === 'string' && text.startsWith(beginning)) {
      held.resolve()
      await go.promise
    }
    return original(text, values)
  }
  Object.assign(pool, { query: slow })
  try {
    const begun = begin()
    await held.promise
    await meanwhile()
    go.resolve()
    return await begun
  } finally {
    go.resolve()
    Object.assign(pool, { query: original })
  }
}
