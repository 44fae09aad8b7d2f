import type { RequestHandler } from 'express'
import type { Logger } from '../logger.ts'

const hourMs = 3_600_000
const headers = ['forwarded', 'x-forwarded-for', 'x-forwarded-proto']

/**
 * Warns, once an hour at most, when a proxy forwards requests and the operator has not said which proxies to trust: all
 * visitors then have one address and share its rate limits.
 * @param isProxyUnset production without TRUST_PROXY
 */
export function warnOfUntrustedProxy(isProxyUnset: boolean, logger: Logger): RequestHandler {
  let warnedAt = -Infinity
  return (req, _res, next) => {
    const header = isProxyUnset ? headers.find((name) => req.headers[name] !== undefined) : undefined
    if (header !== undefined && performance.now() - warnedAt >= hourMs) {
      warnedAt = performance.now()
      logger.warn(
        { header },
        'TRUST_PROXY is not set, but requests come through a proxy: all visitors count as one address. ' +
          'Set TRUST_PROXY to the proxies, or to none if browsers connect directly',
      )
    }
    next()
  }
}
