import { isIPv6 } from 'node:net'

/**
 * The network of one household or company: the whole IPv4 address, or the first 64 bits of IPv6.
 * @param address as `req.ip` gives it
 */
export function clientNetwork(address: string): string {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (!isIPv6(plain)) return plain
  const [left = '', right = ''] = plain.toLowerCase().split('::')
  const [head, tail] = [left, right].map((side) => (side === '' ? [] : side.split(':')))
  const zeros = Array.from({ length: 8 - (head?.length ?? 0) - (tail?.length ?? 0) }, () => '0')
  const groups = plain.includes('::') ? [...(head ?? []), ...zeros, ...(tail ?? [])] : (head ?? [])
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
