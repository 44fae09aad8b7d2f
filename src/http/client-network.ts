import { plainAddress } from './client-address.ts'

/**
 * The network of a client: the whole IPv4 address, or the first `bits` of IPv6. 64 are one household or office, and 48
 * are the most that a provider gives to one customer.
 */
export function clientNetwork(address: string, bits: 64 | 48 = 64): string {
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const [left = '', right = ''] = plain.split('::')
  const [head = [], tail = []] = [left, right].map((side) => (side === '' ? [] : side.split(':')))
  const missing = plain.includes('::') ? 8 - head.length - tail.length : 0
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail]
  return groups.slice(0, bits / 16).join(':')
}
