import { isIP, isIPv4, SocketAddress } from 'node:net'
import type { NextFunction, Request, Response } from 'express'

/**
 * Sets `req.ip` to the client's address in one spelling, for rate limits, audit log and list of sessions: without port,
 * brackets and zone, IPv6 in lower case and shortened, IPv4-mapped IPv6 as IPv4. Some proxies write X-Forwarded-For with
 * ports (Azure Application Gateway). When a trusted proxy names no valid address, the socket's address counts.
 * Comes before everything that reads `req.ip`.
 */
export function clientAddress(req: Request, _res: Response, next: NextFunction): void {
  Object.defineProperty(req, 'ip', { value: addressOf(req) })
  next()
}

/** The first address that is no trusted proxy, as Express's own `req.ip`, from the socket back to the client. */
function addressOf(req: Request): string {
  const isProxy = req.app.get('trust proxy fn') as (address: string, hop: number) => boolean
  const socket = plainAddress(req.socket.remoteAddress ?? '')
  const forwarded = req.get('x-forwarded-for')?.split(',').map(plainAddress).filter(Boolean).toReversed() ?? []
  const hops = [socket, ...forwarded]
  const client = hops.find((address, hop) => !isProxy(address, hop)) ?? hops.at(-1) ?? ''
  return isIP(client) > 0 ? client : socket
}

/** One spelling of an address such as `203.0.113.9:4711` or `[2001:DB8::1]:443`; what is no address stays. */
export function plainAddress(entry: string): string {
  const unquoted = entry.trim().replace(/^"(.*)"$/, '$1')
  const [, bracketed] = /^\[([^\]]*)\](?::\d*)?$/.exec(unquoted) ?? []
  const [, v4] = /^([\d.]+)(?::\d*)?$/.exec(unquoted) ?? []
  const address = (bracketed ?? v4 ?? unquoted).replace(/%.*$/, '')
  if (isIP(address) !== 6) return address
  const short = new SocketAddress({ address, family: 'ipv6' }).address
  const mapped = short.replace(/^::ffff:/, '')
  return isIPv4(mapped) ? mapped : short
}
