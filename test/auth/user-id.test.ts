import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { userIdOf } from '../../src/auth/user-id.ts'

describe('userIdOf', () => {
  // If this changed, every grant of every installation would be lost.
  it('returns a stable ID', () => {
    expect(userIdOf('https://eid.example', 'abc')).toBe('b9de7d6c-a3db-52f7-bc5a-314ddc26aa25')
  })

  it('returns a UUIDv5 as defined in RFC 9562', () => {
    const name = Buffer.from('["https://eid.example/","Åse \\"é\\""]')
    const space = Buffer.from('6f1d3c527a0e5b8e9f642d1b8c0e4a77', 'hex')
    const hash = createHash('sha1')
      .update(Buffer.concat([space, name]))
      .digest()
      .subarray(0, 16)
    hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
    hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
    expect(userIdOf('https://eid.example/', 'Åse "é"').replaceAll('-', '')).toBe(hash.toString('hex'))
  })

  it('differs by issuer, by subject, and by the boundary between them', () => {
    const ids = [
      ['https://eid.example', 'abc'],
      ['https://eid.example', 'abC'],
      ['https://eid.example/', 'abc'],
      ['https://eid.examplea', 'bc'],
      ['https://eid.example","a', 'bc'],
      ['https://eid.example', ''],
    ].map(([issuer = '', subject = '']) => userIdOf(issuer, subject))
    expect(new Set(ids).size).toBe(ids.length)
  })
})
