import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { linesOf } from '../support/page-content.ts'
import { startPortalOf } from '../support/portal-of.ts'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(async () => database.close())

const production = {
  NODE_ENV: 'production',
  SMTP_URL: 'smtp://127.0.0.1:1',
  MAIL_FROM: 'portal@example.com',
  OIDC_ISSUER: 'http://127.0.0.1:1',
}

/** The warnings about proxies after two requests with this header, in a process with this environment. */
async function warningsWith(env: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>) {
  const portal = await startPortalOf('http://127.0.0.1:1', { database, env })
  try {
    for (const path of ['/', '/healthz']) await fetch(portal.url + path, { headers })
    return linesOf(portal.log()).filter(({ msg }) => String(msg).includes('TRUST_PROXY'))
  } finally {
    await portal.stop()
  }
}

it.each(['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Proto'])(
  'production warns once when %s arrives and TRUST_PROXY is not set',
  async (header) => {
    const warnings = await warningsWith(production, { [header]: 'needle' })
    expect(warnings).toEqual([expect.objectContaining({ level: 40, header: header.toLowerCase() })])
    expect(JSON.stringify(warnings)).not.toContain('needle')
  },
)

it.each<[string, Record<string, string>, Record<string, string>]>([
  ['without a proxy', production, {}],
  ['when TRUST_PROXY names the proxy', { ...production, TRUST_PROXY: 'loopback' }, { 'X-Forwarded-For': '1.2.3.4' }],
  ['when TRUST_PROXY is none', { ...production, TRUST_PROXY: 'none' }, { 'X-Forwarded-For': '1.2.3.4' }],
  ['in development', {}, { 'X-Forwarded-For': '1.2.3.4' }],
])('there is no warning %s', async (_when, env, headers) => {
  expect(await warningsWith(env, headers)).toEqual([])
})
