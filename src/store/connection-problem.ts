import { untrustedCertificate } from '../domain/network-problem.ts'

/**
 * Why a connection to the database failed: the innermost cause in one sentence, such as `password authentication failed
 * for user "portal"`. Never the URL, which has the password.
 */
export function connectionProblem(error: unknown): string {
  const causes = innermost(error)
  return [...new Set(causes.map((cause) => sentence(cause)))].join(', ')
}

/** The end of the chain of causes; several for an AggregateError, such as of a name with two addresses. */
function innermost(error: unknown): readonly unknown[] {
  if (!(error instanceof Error)) return [error]
  // pg closes a connection that takes too long, and names its own closing as the cause.
  if (/timeout/.test(error.message)) return [error]
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.flatMap(innermost)
  return error.cause === undefined ? [error] : innermost(error.cause)
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message } = error
  const code = 'code' in error ? String(error.code) : ''
  if (message.startsWith('Connection terminated due to connection timeout')) return 'no answer within 5 seconds'
  if (message.startsWith('timeout exceeded'))
    return 'all connections were in use for 5 seconds (DATABASE_CONNECTIONS is their number)'
  if (message.includes('client password must be a string'))
    return 'the server asks for a password, and DATABASE_URL has none'
  if (/unsupported startup parameter.*options/.test(message))
    return `${message}: behind a connection pooler, leave options out of DATABASE_URL, and set them with alter role`
  if (untrustedCertificate.has(code))
    return `the server's certificate is not trusted (${message}): name its CA with sslrootcert in DATABASE_URL`
  return message || code || error.name
}
