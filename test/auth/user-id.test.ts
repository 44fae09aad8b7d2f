import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { userIdDerivation, userIdOf } from '../../src/auth/user-id.ts'

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

describe('userIdOf with a secret', () => {
  const secret = Buffer.from('ab'.repeat(32), 'hex')

  it('returns a stable ID', () => {
    expect(userIdOf('https://eid.example', 'abc', secret)).toBe('fddbfd4c-3add-8846-aa7b-6b2cc2c4e3ec')
  })

  it('returns the first bytes of HMAC-SHA-256 as a UUIDv8 (RFC 9562)', () => {
    const mac = createHmac('sha256', secret).update('["https://eid.example/","01010199999"]').digest('hex')
    const id = userIdOf('https://eid.example/', '01010199999', secret)
    const variant = ((Number.parseInt(mac.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
    const expected = `${mac.slice(0, 12)}8${mac.slice(13, 16)}${variant}${mac.slice(17, 32)}`
    expect(id.replaceAll('-', '')).toBe(expected)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })

  it('differs by secret, issuer and subject', () => {
    const other = Buffer.from('cd'.repeat(32), 'hex')
    const ids = [
      userIdOf('https://eid.example', 'abc', secret),
      userIdOf('https://eid.example', 'abc', other),
      userIdOf('https://eid.example', 'abd', secret),
      userIdOf('https://eid.examplea', 'bc', secret),
      userIdOf('https://eid.example', 'abc'),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has a name that tells secrets apart and does not contain them', () => {
    const other = Buffer.from('cd'.repeat(32), 'hex')
    const names = [undefined, secret, other].map((each) => userIdDerivation(each))
    expect(new Set(names).size).toBe(3)
    for (const name of names) expect(name).not.toMatch(/abab|cdcd/)
  })
})
