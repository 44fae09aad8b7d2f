import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

describe('SERVICE_NAME', () => {
  let test: TestPortal
  beforeAll(async () => {
    test = await startTestPortal({ env: { SERVICE_NAME: 'Vipps $& Co' } })
  })
  afterAll(async () => test.stop())

  it.each(['en', 'nb', 'da', 'sv', 'fi'])('is the name of the operator of the APIs on pages: %s', async (language) => {
    const browser = await test.signedIn('Kari Nordmann')
    for (const path of ['/partners/12345', '/partners/12345/webhooks', '/partners/12345/product-orders']) {
      const page = await browser.open(path, { headers: { 'Accept-Language': language } })
      expect([path, page.words]).toEqual([path, expect.not.stringMatching(/MobilePay|{{|\bservice}/)])
    }
    const landing = await browser.open('/partners/12345', { headers: { 'Accept-Language': language } })
    expect(landing.words).toContain('Vipps $& Co')
  })
})

it('a portal without any organisation says so, at start and after the sign-in', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'portal-test-'))
  const file = join(directory, 'organisations.json')
  writeFileSync(file, '{"partners":[],"merchants":[]}', { mode: 0o600 })
  const test = await startTestPortal({ env: { ORGANISATIONS_FILE: file } })
  try {
    expect(test.log()).toContain('no organisation: ORGANISATIONS_FILE lists no partner and no merchant')
    const page = await (await test.signedIn('Kari Nordmann')).open('/select')
    expect(page.$('h1').text()).toBe('The portal has no businesses yet')
    expect(page.words).toContain('The portal administrator has not added any partner or merchant yet.')
  } finally {
    await test.stop()
    rmSync(directory, { recursive: true, force: true })
  }
})
