import { expect, test } from 'vitest'
import { truncatedAddress } from '../../src/http/truncated-address.ts'

test.each([
  ['203.0.113.77', '203.0.113.0/24'],
  ['::ffff:203.0.113.77', '203.0.113.0/24'],
  ['::ffff:cb00:714d', '203.0.113.0/24'],
  ['2001:db8:1234:5678::1', '2001:db8:1234::/48'],
  ['2001:DB8:1234:5678:9:a:b:c', '2001:db8:1234::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['::1', '0:0:0::/48'],
  ['fe80::1%eth0', 'fe80:0:0::/48'],
  ['not an address', 'unknown'],
  [undefined, 'unknown'],
])('%s is truncated to %s', (address, told) => {
  expect(truncatedAddress(address)).toBe(told)
})
