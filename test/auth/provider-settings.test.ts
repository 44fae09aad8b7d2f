import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompactEncrypt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { openTestDatabase } from '../support/database.ts'
import {
  answers,
  type FaultyProvider,
  jwtOf,
  newSigner,
  type ProviderFaults,
  type Signer,
  startFaultyProvider,
} from '../support/faulty-provider.ts'
import { linesOf } from '../support/page-content.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { startTab } from '../support/sign-in-steps.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-provider-'))
let provider: FaultyProvider
let database: Database
beforeAll(async () => {
  provider = await startFaultyProvider()
  database = await openTestDatabase()
})
afterAll(async () => {
  await provider.stop()
  await database.close()
  rmSync(directory, { recursive: true })
})

/** Runs `use` with a portal of this environment. */
async function withPortal(
  env: Record<string, string>,
  use: (portal: PortalOf) => Promise<void>,
  options: { readonly issuer?: string; readonly refetchKeysMs?: number } = {},
): Promise<void> {
  const times = { refetchKeysMs: options.refetchKeysMs ?? 0, restMs: 0 }
  const portal = await startPortalOf(options.issuer ?? provider.issuer, { env, database, times })
  try {
    await use(portal)
  } finally {
    await portal.stop()
  }
}

/** Signs in against the provider with these faults, and returns the last page. */
async function signIn(portal: PortalOf, faults: ProviderFaults = {}, browser: Browser = portal.browser()) {
  provider.setFaults(faults)
  const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
  provider.setFaults(faults, String(searchParams.get('nonce')))
  const page = await browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`)
  return { page, asked: searchParams }
}

function outcomeOf(page: Visit): [number, string] {
  return [page.status, page.url.pathname === '/profile' ? 'signed in' : page.$('h1').text()]
}

const signedIn = [200, 'signed in']
const untrusted = [502, 'The eID service gave an answer we cannot trust']

function lineWith(portal: PortalOf, msg: string) {
  return linesOf(portal.log()).findLast((line) => line['msg'] === msg)
}

describe('acr_values', () => {
  it('that choose the eID are asked for, and demand nothing of the token', async () => {
    await withPortal({ OIDC_ACR_VALUES: 'idp:nbid' }, async (portal) => {
      for (const acr of ['urn:signicat:something', undefined, ['odd']]) {
        const { page, asked } = await signIn(portal, { claims: { acr } })
        expect(asked.get('acr_values')).toBe('idp:nbid')
        expect(outcomeOf(page)).toEqual(signedIn)
      }
    })
  })

  it('that the token must have are not asked for, and the log names the one that came', async () => {
    await withPortal({ OIDC_REQUIRED_ACR: 'urn:high urn:higher' }, async (portal) => {
      const { page, asked } = await signIn(portal, { claims: { acr: 'urn:higher' } })
      expect([asked.get('acr_values'), ...outcomeOf(page)]).toEqual([null, ...signedIn])
      for (const [acr, words] of [
        ['urn:low\n<b>', 'acr is urn:lowb'],
        [undefined, 'acr is missing'],
      ]) {
        const refused = await signIn(portal, { claims: { acr } })
        expect(outcomeOf(refused.page)).toEqual([403, 'A stronger sign-in is needed'])
        const came = acr === undefined ? 'none' : 'urn:lowb'
        expect(lineWith(portal, 'eID sign-in')).toMatchObject({ level: 30, acr: came })
        expect(portal.log()).toContain(`ID token: ${words}, OIDC_REQUIRED_ACR says urn:high urn:higher`)
      }
    })
  })
})

describe('the log of a sign-in', () => {
  it.each<[string, ProviderFaults, object]>([
    [
      'as the provider names them',
      { claims: { acr: 'urn:x' }, tokens: { scope: 'openid email' } },
      { acr: 'urn:x', scope: 'openid email' },
    ],
    ['without either', {}, { acr: 'none', scope: 'openid profile email (as asked)' }],
    [
      'without odd characters',
      { claims: { acr: 'a"b\u0000'.repeat(90) }, tokens: { scope: `<x> ${'y'.repeat(999)}` } },
      { acr: 'ab'.repeat(50), scope: `x ${'y'.repeat(100)}` },
    ],
  ])('says which acr, issuer and scope came: %s', async (_what, faults, fields) => {
    await withPortal({}, async (portal) => {
      await signIn(portal, faults)
      expect(lineWith(portal, 'eID sign-in')).toMatchObject({ level: 30, issuer: provider.issuer, ...fields })
    })
  })
})

describe('an issuer that is spelt otherwise', () => {
  it.each([
    ['with a slash', '/tenant', '/tenant/'],
    ['without a slash', '/tenant/', '/tenant'],
  ])('is named in the log when the provider writes it %s', async (_what, ours, theirs) => {
    const other = await startFaultyProvider(0, ours)
    other.setFaults({ metadata: { issuer: other.origin + theirs } })
    await withPortal(
      {},
      async (portal) => {
        const page = await portal.browser().open('/login')
        expect(outcomeOf(page)).toEqual(untrusted)
        const message = `the provider calls itself ${other.origin}${theirs}, OIDC_ISSUER says ${other.origin}${ours}`
        expect(lineWith(portal, 'eID provider not found')).toMatchObject({ level: 40, err: { message } })
      },
      { issuer: other.origin + ours },
    )
    await other.stop()
  })

  it('works where only the origin is written with a slash, and the log hints at it', async () => {
    await withPortal(
      {},
      async (portal) => {
        const { page } = await signIn(portal)
        expect(outcomeOf(page)).toEqual(signedIn)
        const message = `the provider calls itself ${provider.issuer}, OIDC_ISSUER says ${provider.issuer}/`
        expect(lineWith(portal, message)).toMatchObject({ level: 40 })
      },
      { issuer: `${provider.issuer}/` },
    )
  })

  it('is named in the log when only the ID token has another slash', async () => {
    await withPortal({}, async (portal) => {
      const { page } = await signIn(portal, { claims: { iss: `${provider.issuer}/` } })
      expect(outcomeOf(page)).toEqual(untrusted)
      expect(portal.log()).toContain("JWT: iss and the issuer in the provider's metadata differ by a slash at the end")
    })
  })
})

describe('a registration that the provider refuses', () => {
  it.each([
    [401, 'invalid_client', 'invalid_client, status 401'],
    [400, 'invalid_scope', 'invalid_scope, status 400'],
    [400, 'unauthorized_client', 'unauthorized_client, status 400'],
    [400, 'invalid_request', 'invalid_request, status 400'],
  ])('with %i %s is named in the log, and is no answer that cannot be trusted', async (status, error, message) => {
    await withPortal({}, async (portal) => {
      const { page } = await signIn(portal, { answer: { token: answers(status, { error }) } })
      expect(outcomeOf(page)).toEqual([502, 'Sign-in is not set up correctly'])
      expect(lineWith(portal, 'error page')).toMatchObject({ page: 'eidSetup', err: { message } })
    })
  })

  it.each([401, 403])('with %i and no error at all is a wrong setup, too', async (status) => {
    await withPortal({}, async (portal) => {
      const { page } = await signIn(portal, { answer: { token: answers(status, '', 'text/plain') } })
      expect(outcomeOf(page)).toEqual([502, 'Sign-in is not set up correctly'])
      const message = `OAUTH_RESPONSE_IS_NOT_JSON, status ${status}`
      expect(lineWith(portal, 'error page')).toMatchObject({ err: { message } })
    })
  })

  it('with an error of its own is named in the log, without odd characters and cut', async () => {
    await withPortal({}, async (portal) => {
      const error = `<b>"odd\n${'x'.repeat(100)}`
      const { page } = await signIn(portal, { answer: { token: answers(418, { error }) } })
      expect(outcomeOf(page)).toEqual(untrusted)
      expect(lineWith(portal, 'error page')).toMatchObject({ err: { message: `bodd${'x'.repeat(56)}, status 418` } })
    })
  })
})

describe('the keys of a provider', () => {
  const first = newSigner('ES256', 'one')
  const second = newSigner('ES256', 'one')
  const signedBy = (signer: Signer, header: ProviderFaults['header'] = {}): ProviderFaults => ({
    signer,
    header,
    keys: [{ ...signer.jwk, kid: header['kid'] === undefined && 'kid' in header ? undefined : 'one' }],
  })

  it.each([
    ['under the same kid', {}],
    ['without a kid', { kid: undefined }],
  ])('that change %s work at once', async (_what, header) => {
    await withPortal({}, async (portal) => {
      expect(outcomeOf((await signIn(portal, signedBy(first, header))).page)).toEqual(signedIn)
      const asked = provider.calls('jwks')
      expect(outcomeOf((await signIn(portal, signedBy(second, header))).page)).toEqual(signedIn)
      expect(provider.calls('jwks') - asked).toBe(1)
    })
  })

  it('are fetched once for a signature that does not verify, and not while they are new', async () => {
    const foreign = newSigner('ES256', 'one')
    const forged: ProviderFaults = { signer: foreign, keys: [first.jwk] }
    await withPortal({}, async (portal) => {
      await signIn(portal, signedBy(first))
      const asked = provider.calls('jwks')
      expect(outcomeOf((await signIn(portal, forged)).page)).toEqual(untrusted)
      expect(provider.calls('jwks') - asked).toBe(1)
    })
    await withPortal(
      {},
      async (portal) => {
        await signIn(portal, signedBy(first))
        const asked = provider.calls('jwks')
        for (const _ of [1, 2, 3]) expect(outcomeOf((await signIn(portal, forged)).page)).toEqual(untrusted)
        expect(provider.calls('jwks') - asked).toBe(0)
      },
      { refetchKeysMs: 60_000 },
    )
  })

  it('that are registered by hand come from a file; metadata without jwks_uri is enough', async () => {
    const file = join(directory, 'provider.jwks')
    writeFileSync(file, JSON.stringify({ keys: [first.jwk, newSigner('ES256', 'next').jwk] }))
    await withPortal({ OIDC_PROVIDER_JWKS_FILE: file }, async (portal) => {
      const metadata = { jwks_uri: undefined }
      const asked = provider.calls('jwks')
      expect(outcomeOf((await signIn(portal, { signer: first, metadata })).page)).toEqual(signedIn)
      expect(outcomeOf((await signIn(portal, { signer: second, metadata })).page)).toEqual(untrusted)
      expect(provider.calls('jwks')).toBe(asked)
    })
  })
})

describe('encrypted userinfo', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const file = join(directory, 'enc.pem')
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const encrypt = async (text: string, key = createPublicKey(privateKey)) =>
    new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256', cty: 'JWT' })
      .encrypt(key)
  const content = { sub: 'some-user', name: 'Some Body', email: 'some.body@example.com' }

  it.each<[string, () => Promise<string>, (string | number)[]]>([
    ['signed and encrypted', () => encrypt(jwtOf(provider.own, content)), signedIn],
    ['encrypted only', () => encrypt(JSON.stringify(content)), signedIn],
    ['of another subject', () => encrypt(jwtOf(provider.own, { ...content, sub: 'another' })), untrusted],
    ['encrypted only, of another subject', () => encrypt(JSON.stringify({ ...content, sub: 'x' })), untrusted],
    ['for another client', () => encrypt(jwtOf(provider.own, { ...content, aud: 'another' })), untrusted],
    ['signed with a foreign key', () => encrypt(jwtOf(newSigner('ES256', 'key-of-the-tests'), content)), untrusted],
    [
      'for a foreign key',
      () => encrypt(jwtOf(provider.own, content), generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey),
      untrusted,
    ],
    ['broken', async () => `${(await encrypt('{}')).slice(0, -4)}AAAA`, untrusted],
    ['no claims', () => encrypt('{"sub":'), untrusted],
  ])('is read when it is valid: %s', async (_what, make, outcome) => {
    const userinfo = await make()
    await withPortal({ OIDC_DECRYPTION_KEY_FILE: file }, async (portal) => {
      const type = 'application/jwt; charset=utf-8'
      const { page } = await signIn(portal, { answer: { userinfo: answers(200, userinfo, type) } })
      expect(outcomeOf(page)).toEqual(outcome)
      expect(page.words.includes('some.body@example.com')).toBe(outcome === signedIn)
      expect(portal.log()).not.toMatch(/some\.body|Some Body|eyJ/)
    })
  })
})

describe('an eID without name and e-mail address', () => {
  it.each([
    ['en', 'Signed in with eID'],
    ['nb', 'Logget inn med eID'],
    ['da', 'Logget ind med eID'],
    ['sv', 'Inloggad med e-legitimation'],
    ['fi', 'Kirjautunut sähköisellä tunnistautumisella'],
  ])('signs the user in, who is named in words: %s', async (language, words) => {
    await withPortal({}, async (portal) => {
      const browser = portal.browser().with({ 'accept-language': language })
      const nothing = { name: undefined, email: undefined, email_verified: undefined }
      const { page } = await signIn(portal, { userinfo: nothing }, browser)
      expect(outcomeOf(page)).toEqual(signedIn)
      expect(page.$('.account-button > span:not(.avatar, .ds-sr-only)').text()).toBe(words)
      expect(page.$('main dd').first().text()).toBe(words)
      expect((await browser.open('/select')).status).toBe(200)
    })
  })
})
