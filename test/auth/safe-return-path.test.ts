import { describe, expect, it } from 'vitest'
import { safeReturnPath } from '../../src/auth/safe-return-path.ts'

describe('safeReturnPath', () => {
  it.each([
    '/select?all',
    '/profile',
    '/partners/12345',
    '/partners/12345/sales-units?q=a%20b&page=2#row',
    '/merchants/business:NO:ORG/311900456/details',
    '/partners/12345/product-orders?q=https://evil.example',
    '/@evil.example',
    '/%2f%2fevil.example',
    '/%5cevil.example',
    '/evil.example%0d%0aSet-Cookie:%20a=b',
    '/loginn',
    '/partners/login',
  ])('keeps %s unchanged', (path) => {
    expect(safeReturnPath(path)).toBe(path)
    expect(new URL(path, 'https://portal.example').origin).toBe('https://portal.example')
  })

  it.each([
    '//evil.example',
    '///evil.example',
    '//evil.example/profile',
    '/\\evil.example/profile',
    '/\\evil.example',
    '\\/evil.example',
    '\\\\evil.example',
    '/a\\..\\\\evil.example',
    'https://evil.example',
    'https:evil.example',
    'HTTPS://evil.example/select',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example',
    '@evil.example',
    '.evil.example',
    ' /select',
    '/ /evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r/evil.example',
    '\t//evil.example',
    '/\u0000/evil.example',
    '/\u3000/evil.example',
    '/ø',
    '%2f%2fevil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    '',
    '/',
    '/?returnTo=/profile',
    '/login',
    '/login?returnTo=/login',
    '/LOGIN',
    '/./login',
    '/%2E/login',
    '/profile/../logout',
    '/logout',
    '/register',
    '/auth/callback?code=x&state=y',
    `/${'a'.repeat(2000)}`,
  ])('replaces %j with /select', (value) => {
    expect(safeReturnPath(value)).toBe('/select')
  })

  it.each([[undefined], [null], [7], [['/profile']], [['/profile', '//evil.example']], [{ path: '/profile' }]])(
    'replaces %j, which is not a string, with /select',
    (value) => {
      expect(safeReturnPath(value)).toBe('/select')
    },
  )
})
