import { subscribe } from 'node:diagnostics_channel'

/** The codes of OpenSSL and Node.js for a certificate of an unknown issuer. */
export const untrustedCertificate: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const closedByProxy = 'PROXY_CLOSED'

// A proxy that closes the connection makes Node.js connect again without a pause, 2,300 times a second, until the
// timeout: it takes the error for a lost idle connection. With another code it fails the request.
subscribe('undici:client:connectError', (message) => {
  const { error } = message as { readonly error: Error & { code?: unknown } }
  if (error.code === 'UND_ERR_SOCKET') error.code = closedByProxy
})

/**
 * Why `fetch` got no answer, in words for the operator: the way to the server, its proxy, its certificate. Undefined when
 * there is nothing to say. Never a message of `fetch`, which can quote a header with a secret.
 */
export function networkProblem(error: unknown): string | undefined {
  const causes = causesOf(error)
  return causes.map(inWords).find((words) => words !== undefined)
}

/** The code of the innermost cause that has one, such as ECONNREFUSED. */
export function networkCode(error: unknown): string | undefined {
  return causesOf(error)
    .map(({ code }) => (typeof code === 'string' && /^[A-Z\d_]+$/.test(code) ? code : undefined))
    .findLast((code) => code !== undefined)
}

type Cause = Error & { readonly [Name in 'code' | 'syscall' | 'address' | 'port' | 'hostname']?: unknown }

/** The error and its causes, outermost first; of an AggregateError, such as of a name with two addresses, the first. */
function causesOf(error: unknown): readonly Cause[] {
  if (!(error instanceof Error)) return []
  const next: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return [error, ...causesOf(next)]
}

function inWords({ message, code, syscall, address, port, hostname }: Cause): string | undefined {
  const status = /^Proxy response \((\d{3})\)/.exec(message)?.[1]
  if (status !== undefined) return `the proxy answers ${status}${remedies[status] ?? ''}`
  if (code === closedByProxy) return 'the proxy closed the connection'
  if (typeof code !== 'string') return undefined
  if (untrustedCertificate.has(code))
    return `the certificate is not trusted (${code}): name its CA in NODE_EXTRA_CA_CERTS`
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate has expired'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the certificate is for another name'
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'the other end does not speak TLS'
  if (syscall === 'getaddrinfo') return `the name ${String(hostname)} cannot be resolved (${code})`
  if (syscall === 'connect' && typeof port === 'number') return `cannot connect to ${String(address)}:${port} (${code})`
  return undefined
}

const password = ': HTTPS_PROXY needs a user and a password that it takes'

/** What to do about the usual refusals of an outgoing proxy; tinyproxy answers a wrong password with 401. */
const remedies: Readonly<Record<string, string>> = {
  '401': password,
  '403': ': it must allow this host',
  '407': password,
}
