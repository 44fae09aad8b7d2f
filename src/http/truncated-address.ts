import { isIP } from 'node:net'
import { plainAddress } from './client-address.ts'
import { clientNetwork } from './client-network.ts'

/**
 * An address without the part that identifies a household: the first 24 bits of IPv4, the first 48 of IPv6; `unknown`
 * for an invalid one. For the audit log and the list of sessions.
 */
export function truncatedAddress(address: string | undefined): string {
  const plain = plainAddress(address ?? '')
  if (isIP(plain) === 0) return 'unknown'
  return isIP(plain) === 4 ? plain.replace(/\d+$/, '0/24') : `${clientNetwork(plain, 48)}::/48`
}
