import { Client } from 'pg'

type Query = (this: unknown, ...args: unknown[]) => unknown

/**
 * Holds up the first statement that matches, as a slow request would be, until `meanwhile` is over.
 * @param begin starts the request whose statement it is
 * @returns what `begin` resolves to
 */
export async function whileHeld<T>(
  statement: RegExp,
  begin: () => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T> {
  // Every connection of every pool in this process is one of these.
  const connection = Client.prototype as unknown as { query: Query }
  const original = connection.query
  const [held, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  connection.query = function query(...args) {
    if (typeof args[0] !== 'string' || !statement.test(args[0])) return original.apply(this, args)
    held.resolve()
    return go.promise.then(() => original.apply(this, args))
  }
  try {
    const begun = begin()
    await held.promise
    await meanwhile()
    go.resolve()
    return await begun
  } finally {
    go.resolve()
    connection.query = original
  }
}
