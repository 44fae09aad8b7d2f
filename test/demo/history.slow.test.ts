import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { parseDemoSwitches } from '../../demo/switches.ts'
import { Browser } from '../support/browser.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-history-'))
let demo: Demo
let kari: Browser
beforeAll(async () => {
  demo = await startDemo({
    ...parseDemoSwitches(['--sales-units', '30', '--port', '3200']),
    dataDir: directory,
    log: 'silent',
  })
  kari = new Browser(demo.portalUrl)
  await kari.signIn('Kari Nordmann')
})
afterAll(async () => {
  await demo.stop()
  rmSync(directory, { recursive: true, force: true })
})

it('the demo starts with a year of history for charts and notices', async () => {
  await vi.waitFor(
    async () => expect((await kari.open('/partners/12345')).$('section.chart > svg[role]').length).toBe(2),
    { timeout: 60_000, interval: 250 },
  )
  const { $ } = await kari.open('/partners/12345')
  expect($('#growth').closest('section').find('tbody tr').length).toBeGreaterThan(8)
  const notices = $('[data-notice]')
    .toArray()
    .map((notice) => $(notice).attr('data-notice'))
  expect(notices).toEqual(['expiring', 'waiting', 'rejected'])
  expect($('.in-numbers small a').first().text()).toMatch(/^\+\d+ this week$/)
})

it('the first sync records no changes to the generated history', async () => {
  const { kysely } = demo.portal.database
  await vi.waitFor(
    async () => {
      const read = await kysely
        .selectFrom('sync_state')
        .select('resource')
        .where('organisation', '=', 'partner/12345')
        .where('resource', 'in', ['productOrders', 'salesUnits', 'pricePackages', 'templates', 'webhooks'])
        .where('checked_at', 'is not', null)
        .execute()
      expect(read).toHaveLength(5)
    },
    { timeout: 60_000, interval: 250 },
  )
  const anHourAgo = new Date(Date.now() - 3_600_000)
  const news = await kysely
    .selectFrom('changes')
    .select(['resource', 'key', 'kind', 'fields'])
    .where('organisation', '=', 'partner/12345')
    // Details of sales units and merchants, and webhooks of sales units, are read for the first time.
    .where((where) =>
      where.or([where('resource', 'in', ['productOrder', 'pricePackage', 'template']), where('kind', '<>', 'added')]),
    )
    .where('at', '>', anHourAgo)
    .execute()
  expect(news).toEqual([])
})
