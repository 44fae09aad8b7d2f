import { BlockList, isIP } from 'node:net'

/** Addresses that only this machine or its network reaches (IANA special-purpose registries, RFC 6890). */
const special = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(net, bits)
for (const [net, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  special.addSubnet(net, bits, 'ipv6')

/** Whether an IP address is on the public internet. An IPv4 address in IPv6 counts as the IPv4 address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && !special.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Why a URL cannot be a channel: it is not https, or leads into the operator's own network. Undefined when it can.
 * Names are not resolved.
 * @param allowPrivate also takes private addresses, and http on loopback
 */
export function channelUrlProblem(url: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(url)) return 'is not a URL'
  const { protocol, hostname, username, password } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isLocal = host === 'localhost' || (isIP(host) !== 0 && !isPublicAddress(host))
  if (username || password) return 'must not have a user or a password'
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal && allowPrivate)) return 'must be https'
  if (isLocal && !allowPrivate) return 'leads to a private address, which CHANNELS_ALLOW_PRIVATE=true allows'
  return undefined
}
