import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net'

const mapped = new BlockList()
mapped.addSubnet('::ffff:0:0', 96, 'ipv6')

/**
 * An address without the part that identifies a household: the first 24 bits of IPv4, the first 48 of IPv6; `unknown`
 * for an invalid one. For the audit log and the list of sessions.
 */
export function truncatedAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  const plain = address.replace(/%.*$/, '')
  if (isIPv4(plain)) return plain.replace(/\d+$/, '0/24')
  if (!isIPv6(plain)) return 'unknown'
  const { address: short } = new SocketAddress({ address: plain, family: 'ipv6' })
  if (mapped.check(short, 'ipv6')) {
    const tail = short.slice(short.lastIndexOf(':') + 1)
    if (isIPv4(tail)) return truncatedAddress(tail)
    return 'unknown'
  }
  const [left = '', right = ''] = short.split('::')
  const head = left === '' ? [] : left.split(':')
  const rest = right === '' ? [] : right.split(':')
  const missing = short.includes('::') ? 8 - head.length - rest.length : 0
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...rest]
  return `${groups.slice(0, 3).join(':')}::/48`
}
