import type { Handle } from '../../src/store/database.ts'

/**
 * Delays the first matching statement until `meanwhile` has finished, as in a slow request. It waits before it takes a
 * connection, so that other queries can use the only one.
 * @param begin starts the request that executes the statement
 * @returns what `begin` resolves to
 */
export async function whileHeld<T>(
  db: Handle,
  statement: RegExp,
  begin: () => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T> {
  const executor = db.getExecutor()
  const execute = executor.executeQuery.bind(executor)
  const [held, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let isHeld = false
  const slow: typeof executor.executeQuery = async (query, options) => {
    if (!isHeld && statement.test(query.sql)) {
      isHeld = true
      held.resolve()
      await go.promise
    }
    return execute(query, options)
  }
  Object.assign(executor, { executeQuery: slow })
  try {
    const begun = begin()
    await held.promise
    await meanwhile()
    go.resolve()
    return await begun
  } finally {
    go.resolve()
    Object.assign(executor, { executeQuery: execute })
  }
}
