import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { readOrganisationsFile } from '../../src/config/organisations-file.ts'
import { organisationKey } from '../../src/domain/organisation.ts'
import { createLogger } from '../../src/logger.ts'
import type { Browser } from '../support/browser.ts'
import { factsOf, rowsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

async function run(input: string, ...options: string[]) {
  const told: string[] = []
  const { organisations } = readOrganisationsFile(test.organisationsFile, {})
  const deps = {
    database: test.portal.database,
    organisations: new Map(organisations.map(({ organisation }) => [organisationKey(organisation), organisation])),
    organisationsFile: test.organisationsFile,
    logger: createLogger('silent'),
    sync: () => Promise.reject(new Error('this command reads nothing')),
  }
  const call = {
    tell: (line: string) => void told.push(line),
    signal: new AbortController().signal,
    operator: 'kim',
    input,
  }
  return { ...(await runCommand(deps, ['price-packages', 'import', 'prices.csv', ...options], call)), told }
}

/** The price packages of partner 12345, which the imports give to its sales units. */
function packageNamed(name: string) {
  const found = test.world.pricePackages.find(({ partnerId, body }) => partnerId === '12345' && body.name === name)
  if (!found) throw new Error(`no price package ${name}`)
  return found.body
}

async function countAssignments(): Promise<number> {
  const { rows } = await test.portal.database.pool.query('select from price_package_assignments')
  return rows.length
}

async function shown(msn: string): Promise<string | undefined> {
  return factsOf(await kari.open(`/partners/12345/sales-units/${msn}`))['Price package']
}

const head = 'msn,price_package_id,from\n'

it('reports every error with its line, and writes nothing', async () => {
  const { pricePackageId: id } = packageNamed('Standard')
  const foreign = test.world.pricePackages.find(({ partnerId }) => partnerId === '23456')?.body.pricePackageId
  const malformed = await run(`${head}12,${id},2026-01-01\n140512,,1 May\n140512,${id},2026-02-30\n`)
  expect([malformed.exitCode, malformed.error.split('\n')]).toEqual([
    1,
    [
      'line 2: "12" is not an MSN: 4 to 10 digits',
      'line 3: "" is not a price package ID',
      'line 3: "1 May" is not a day such as 2026-12-31',
      'line 4: "2026-02-30" is not a day such as 2026-12-31',
      '4 errors: nothing was changed',
    ],
  ])
  const unknown = await run(`${head}140512,${id},2026-01-01\n140512,${id},2026-01-01\n`)
  expect(unknown.error).toContain('line 3: is for the same sales unit and day as line 2')
  const misplaced = await run(
    `${head}9999999,${id},2026-01-01\n140512,${foreign},2026-01-01\n140512,${id},2026-01-02\n`,
  )
  expect(misplaced.error.split('\n')).toEqual([
    'line 2: no partner has a sales unit 9999999',
    `line 3: ${foreign} is not a price package of partner 12345, which has the sales unit 140512`,
    '2 errors: nothing was changed',
  ])
  expect((await run('msn,price\n1,2\n')).error).toContain('line 1: the column price_package_id is missing')
  expect(await countAssignments()).toBe(0)
})

it('a dry run prints what the import writes; the import is shown on pages, and is in the audit log', async () => {
  const [standard, till] = [packageNamed('Standard'), packageNamed('Kasse')]
  const text = `${head}140512,${standard.pricePackageId.toUpperCase()},2026-01-31\n150666,${till.pricePackageId},2026-02-01\n`
  const dry = await run(text, '--dry-run')
  expect(dry.told[0]).toBe(
    `added    line 2: partner 12345 sales unit 140512 from 2026-01-31: ${standard.pricePackageId}`,
  )
  expect(dry.output).toBe(
    '2 added, 0 changed, 0 unchanged: dry run, nothing was changed. Run again without --dry-run to apply.',
  )
  expect(await countAssignments()).toBe(0)
  expect(await shown('140512')).toContain('Most likely one of')

  expect((await run(text, '--by', 'Ada')).output).toBe('2 added, 0 changed, 0 unchanged.')
  expect(await shown('140512')).toBe(
    'Standard 2.99%, commission 30% From the portal administrator’s file, since 31 January 2026.',
  )
  expect((await run(text)).output).toBe('0 added, 0 changed, 2 unchanged.')
  const list = await kari.open(`/partners/12345/sales-units?package=${till.pricePackageId}`)
  expect(rowsOf(list).map((row) => row[1])).toEqual(['150666'])
  const audit = await test.portal.database.pool.query(
    `select organisation, details from audit where event = 'price packages imported' order by id`,
  )
  expect(audit.rows[0]).toEqual({ organisation: 'partner/12345', details: { added: 2, changed: 0, by: 'Ada' } })
})

it('the newest day that has begun counts, and a later one when it comes', async () => {
  const [standard, free] = [packageNamed('Standard'), packageNamed('Standard uten provisjon')]
  await run(
    `${head}20481234,${standard.pricePackageId},2026-01-01\n20481234,${free.pricePackageId},2026-03-01\n20481234,${standard.pricePackageId},2999-01-01\n`,
  )
  expect(await shown('20481234')).toContain('Standard uten provisjon')
  // The day has come.
  await test.portal.database.pool.query(
    `update price_package_assignments set valid_from = '2026-04-01' where valid_from = '2999-01-01'`,
  )
  await test.sync()
  expect(await shown('20481234')).toContain('Standard 2.99%, commission 30% From the portal administrator’s file')
})

it('what the API says takes precedence, and a sales unit that is read again keeps its price package', async () => {
  const [standard, denmark] = [packageNamed('Standard'), packageNamed('Standard Danmark')]
  await run(`${head}123456,${packageNamed('Kasse').pricePackageId},2026-01-01\n`)
  expect(await shown('123456')).toContain(`${standard.name} `)
  expect(await shown('123456')).toContain('According to the API')
  await run(`${head}231777,${denmark.pricePackageId},2026-01-01\n`)
  const unit = test.world.salesUnits.find(({ body }) => body.msn === '231777')?.body
  if (unit) unit.name = "Ole's New Gym"
  await test.sync()
  expect(await shown('231777')).toContain('Standard Danmark')
})

it('asks for its arguments', async () => {
  expect((await run('', 'more')).error).toContain('unexpected argument "more"')
})
