import type { Handle } from '../../src/store/database.ts'

/**
 * Watches the statements of `db`. @returns a function that returns the statements that ran while another one did, since
 * its last call. Requests to the sync are left out: they are made beside the page.
 */
export function statementsAtOnce(db: Handle): () => readonly string[] {
  const executor = db.getExecutor()
  const execute = executor.executeQuery.bind(executor)
  let running = 0
  let found: string[] = []
  const watched: typeof executor.executeQuery = async (query, options) => {
    if (/\bsync_state\b/.test(query.sql)) return execute(query, options)
    running += 1
    if (running > 1) found.push(query.sql.slice(0, 100))
    try {
      return await execute(query, options)
    } finally {
      running -= 1
    }
  }
  Object.assign(executor, { executeQuery: watched })
  return () => {
    const those = found
    found = []
    return those
  }
}
