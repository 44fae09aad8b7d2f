import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { userIdOf } from '../../src/auth/user-id.ts'
import { findUser } from '../../src/store/users.ts'
import { type ProviderFaults, type FaultyProvider, startFaultyProvider } from '../support/faulty-provider.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { startTab } from '../support/sign-in-steps.ts'

let provider: FaultyProvider
let portal: PortalOf
beforeAll(async () => {
  provider = await startFaultyProvider()
  portal = await startPortalOf(provider.issuer)
})
afterAll(async () => {
  await portal.stop()
  await provider.stop()
})

async function signIn(faults: ProviderFaults): Promise<string> {
  const browser = portal.browser()
  const { searchParams } = await startTab(browser, '/login?returnTo=/select')
  provider.setFaults(faults, String(searchParams.get('nonce')))
  const page = await browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`)
  expect(page.status).toBe(200)
  return page.url.pathname
}

async function verifiedOf(sub: string) {
  return (await findUser(portal.database.kysely, userIdOf(provider.issuer, sub)))?.email
}

const name = 'Some Body'
const email = 'a@example.com'
/** Its first 200 characters are a valid address of another domain. */
const long = `a@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(11)}.com.evil.example`

describe('the e-mail address from the eID', () => {
  it.each<[string, ProviderFaults, string | null]>([
    ['verified, in the ID token', { claims: { name, email, email_verified: true } }, email],
    ['verified, at userinfo', { userinfo: { email, email_verified: true } }, email],
    [
      'verified at userinfo, the same in the ID token',
      { claims: { email }, userinfo: { email, email_verified: true } },
      email,
    ],
    [
      'verified, the domain in capitals',
      { claims: { name, email: ' A@EXAMPLE.Com', email_verified: true } },
      'A@example.com',
    ],
    ['not verified', { claims: { name, email, email_verified: false } }, null],
    ['without email_verified', { claims: { name, email } }, null],
    ['email_verified as a string', { claims: { name, email, email_verified: 'true' } }, null],
    ['email_verified as a number', { claims: { name, email, email_verified: 1 } }, null],
    ['verified, without an address', { claims: { name, email_verified: true }, userinfo: { email: undefined } }, null],
    [
      'verified in the ID token, another address at userinfo',
      { claims: { email }, userinfo: { email: 'b@example.com' } },
      null,
    ],
    [
      'verified in the ID token, the address at userinfo',
      { claims: { email_verified: true }, userinfo: { email, email_verified: undefined } },
      null,
    ],
    [
      'an array of addresses',
      { claims: { name, email: [email], email_verified: true }, userinfo: { email: undefined } },
      null,
    ],
    ['two addresses', { claims: { name, email: 'a@example.com, b@example.com', email_verified: true } }, null],
    [
      'an address that is valid for another domain when it is truncated',
      { claims: { name, email: long, email_verified: true } },
      long,
    ],
    ['an address with a line break', { claims: { name, email: 'a@example.com\nb', email_verified: true } }, null],
  ])('is adopted only when the eID has verified it: %s', async (what, { claims = {}, userinfo = {} }, verified) => {
    const sub = what.replaceAll(/\W/g, '-')
    expect(await signIn({ claims: { sub, ...claims }, userinfo: { sub, ...userinfo } })).toBe(
      verified === null ? '/verify-email' : '/select',
    )
    expect(await verifiedOf(sub)).toBe(verified)
    const { rows } = await portal.database.pool.query(
      "select event, details from audit where user_id = $1 and event <> 'sign-in'",
      [userIdOf(provider.issuer, sub)],
    )
    expect(rows).toEqual(verified === null ? [] : [{ event: 'e-mail verified', details: { by: 'eID' } }])
  })

  it('is adopted once; later claims do not change or revoke it', async () => {
    const sub = 'later'
    await signIn({ claims: { sub, name, email, email_verified: true } })
    await signIn({ claims: { sub, name, email: 'b@example.com', email_verified: true } })
    expect(await verifiedOf(sub)).toBe(email)
    expect(await signIn({ claims: { sub, name, email, email_verified: false } })).toBe('/select')
    expect(await verifiedOf(sub)).toBe(email)
  })
})
