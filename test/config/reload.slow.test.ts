import { chmodSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { OrganisationsFile } from '../../demo/world/credentials.ts'
import { addGrant } from '../../src/store/grants.ts'
import { readAudit } from '../../src/store/audit-log.ts'
import { linesOf } from '../support/page-content.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
let whole: OrganisationsFile
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
  kari = await test.signedIn('Kari Nordmann')
  whole = JSON.parse(readFileSync(test.organisationsFile, 'utf8')) as OrganisationsFile
})
afterAll(async () => test.stop())

function write(content: unknown): void {
  return writeFileSync(
    test.organisationsFile,
    typeof content === 'string' ? content : JSON.stringify(content, null, 2),
    {
      mode: 0o600,
    },
  )
}

function reload(content: unknown): void {
  write(content)
  test.portal.reload()
}

function log(message: string) {
  return linesOf(test.log()).filter(({ msg }) => msg === message)
}

function nordlysOf(file: OrganisationsFile) {
  const found = file.partners.find(({ id }) => id === '12345')
  if (!found) throw new Error('no Nordlys')
  return found
}

function without(id: string): OrganisationsFile {
  return {
    ...whole,
    partners: whole.partners.filter((partner) => partner.id !== id),
  }
}

function withNordlys(change: Partial<ReturnType<typeof nordlysOf>>): OrganisationsFile {
  return {
    ...whole,
    partners: whole.partners.map((partner) => (partner.id === '12345' ? { ...partner, ...change } : partner)),
  }
}

async function reloads() {
  await test.portal.audit.flush()
  const filter = {
    userIds: [],
    organisations: [],
    events: ['credentials reloaded'] as const,
    since: undefined,
  }
  const all = []
  for await (const rows of readAudit(test.portal.database.kysely, filter, undefined)) all.push(...rows)
  return all.map(
    ({ organisation, details }) => `${organisation} ${String(details['what'])} ${String(details['cause'])}`,
  )
}

describe('while the portal runs', () => {
  it('an organisation taken out of the file is removed at once, and can return', async () => {
    expect((await kari.open('/partners/12345')).status).toBe(200)
    reload(without('12345'))
    expect((await kari.open('/partners/12345')).status).toBe(404)
    expect((await kari.open('/select')).words).toContain('You do not have access to any business yet')
    const asked = test.api.requests.length
    await test.portal.sync.tick()
    expect(test.api.requests.slice(asked).filter(({ organisation }) => organisation === 'partner/12345')).toEqual([])
    reload(whole)
    expect((await kari.open('/partners/12345')).status).toBe(200)
    expect(await reloads()).toEqual(['partner/12345 removed signal', 'partner/12345 added signal'])
  })

  it('new credentials are used from the next call on, with a new token', async () => {
    const [nordlys, keys] = [nordlysOf(whole), nordlysOf(whole).keys]
    const world = test.world.organisations.find(({ organisation }) => organisation.id === nordlys.id)
    const rotated = { ...keys, clientSecret: 'rotated-secret' }
    Object.assign(world?.keys ?? {}, rotated)
    const asked = test.api.requests.length
    reload(withNordlys({ keys: rotated }))
    await expect
      .poll(
        () =>
          test.api.requests
            .slice(asked)
            .filter(({ organisation }) => organisation === nordlys.id || organisation === 'partner/12345')
            .map(({ status }) => status),
        { timeout: 20_000 },
      )
      .toContain(200)
    expect((await reloads()).at(-1)).toBe('partner/12345 credentials changed signal')
    Object.assign(world?.keys ?? {}, keys)
    reload(whole)
  })

  it('a changed name is shown on the next page', async () => {
    reload(withNordlys({ name: 'Nordlys & Co' }))
    expect((await kari.open('/partners/12345')).$('.side strong').first().text()).toBe('Nordlys & Co')
    reload(whole)
    expect((await reloads()).at(-1)).toBe('partner/12345 name changed signal')
  })

  it.each([
    ['not JSON', '{\n"partners": [{ "keys": "top-secret-value }\n]}', 'is not JSON: line 2 column 43'],
    [
      'an unknown member',
      { partners: [{ id: '1', name: 'x', keys: { type: 'management', clientSecret: 'top-secret-value' } }] },
      'at partners[0].id',
    ],
  ])('an invalid file (%s) changes nothing, and the log reports the position', async (_what, content, words) => {
    const before = await reloads()
    reload(content)
    expect((await kari.open('/partners/12345')).status).toBe(200)
    const said = log('credentials not reloaded: the portal keeps those it has').at(-1)
    expect(JSON.stringify(said)).toContain(words)
    expect(test.log()).not.toContain('top-secret-value')
    expect(await reloads()).toEqual(before)
    reload(whole)
  })

  it('an unchanged file is not reloaded', async () => {
    const before = await reloads()
    reload(JSON.stringify(whole))
    expect(await reloads()).toEqual(before)
  })
})

describe('the automatic reload', () => {
  const last = async () => expect.poll(async () => (await reloads()).at(-1), { timeout: 20_000, interval: 200 })

  it('detects a replaced file and a changed symbolic link to a secret file', async () => {
    const directory = dirname(test.organisationsFile)
    const [data, link] = [join(directory, '..data'), join(directory, 'secret')]
    for (const version of ['one', 'two']) writeFileSync(join(directory, version), `secret-${version}`, { mode: 0o600 })
    symlinkSync('one', data)
    symlinkSync('..data', link)
    const file = withNordlys({
      name: 'Fresh',
      keys: { ...nordlysOf(whole).keys, clientSecret: { file: 'secret' } as never },
    })
    const beside = `${test.organisationsFile}.new`
    writeFileSync(beside, JSON.stringify(file), { mode: 0o600 })
    renameSync(beside, test.organisationsFile)
    await (await last()).toBe('partner/12345 credentials changed file')
    reload(withNordlys({ name: 'Fresh', keys: nordlysOf(file).keys }))
    const count = (await reloads()).length
    symlinkSync('two', `${data}.new`)
    renameSync(`${data}.new`, data)
    await expect.poll(async () => (await reloads()).length, { timeout: 20_000, interval: 200 }).toBe(count + 1)
    await (await last()).toBe('partner/12345 credentials changed file')
    expect(test.log()).not.toMatch(/secret-(one|two)/)
    write(whole)
    await expect.poll(async () => (await reloads()).length, { timeout: 20_000, interval: 200 }).toBe(count + 2)
  }, 60_000)

  it('logs an error once and continues', async () => {
    const errorsLogged = () => log('credentials not reloaded: the portal keeps those it has').length
    const before = errorsLogged()
    write('{')
    await expect.poll(errorsLogged, { timeout: 20_000, interval: 200 }).toBe(before + 1)
    chmodSync(test.organisationsFile, 0o600)
    const count = (await reloads()).length
    write(withNordlys({ name: 'After the error', keys: nordlysOf(whole).keys }))
    await expect.poll(async () => (await reloads()).length, { timeout: 20_000, interval: 200 }).toBe(count + 1)
    expect(errorsLogged()).toBe(before + 1)
    write(whole)
    expect((await kari.open('/partners/12345')).status).toBe(200)
  }, 60_000)
})

it('a new organisation gets its pages and is synced', async () => {
  reload(without('34567'))
  await addGrant(test.portal.database.kysely, { kind: 'partner', id: '34567' }, test.userId('Kari Nordmann'))
  expect((await kari.open('/partners/34567')).status).toBe(404)
  await test.portal.database.pool.query(`delete from sync_state where organisation = 'partner/34567'`)
  const asked = test.api.requests.length
  reload(whole)
  expect((await kari.open('/partners/34567')).status).toBe(200)
  await expect
    .poll(() => test.api.requests.slice(asked).filter(({ organisation }) => organisation === 'partner/34567').length, {
      timeout: 20_000,
    })
    .toBeGreaterThan(3)
})
