import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { endEverything, endOnSignals } from './ending.ts'
import { measureExport } from './export.ts'
import { measureFilter } from './filter.ts'
import { fillStage } from './first-list.ts'
import { measureFootprint } from './footprint.ts'
import { measureFirstSync } from './first-sync.ts'
import { measureKeystroke } from './keystroke.ts'
import { measureLighthouse } from './lighthouse.ts'
import { measurePages } from './pages.ts'
import { newPlace, type Place, postgresqlVersion } from './places.ts'
import { allResults, reporter, tableOf } from './results.ts'
import { measureServing } from './serving.ts'
import { createStage, startPortalOf, visitorOf } from './stage.ts'
import { measureUnchanged } from './unchanged.ts'
import { measureWeather } from './weather.ts'
import { largeId, smallId } from './world.ts'

const onFullStage = [
  'filter',
  'pages',
  'serving',
  'footprint',
  'keystroke',
  'export',
  'lighthouse',
  'weather',
  'unchanged',
] as const
const sections = [...onFullStage, 'first-sync'] as const

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '100000' } },
})
const isWanted = (...some: readonly string[]): boolean =>
  positionals.length === 0 || some.some((section) => positionals.includes(section))

const measureFull = async (place: Place): Promise<void> => {
  const report = reporter('postgresql')
  const size = { large: Number(values.rows), orders: Math.ceil(Number(values.rows) / 20), small: 100 }
  const stage = await createStage(place, size, [largeId, smallId], {
    // The API of the bench takes a while for its longest list.
    MANAGEMENT_API_TIMEOUT_MS: '60000',
  })
  await fillStage(stage, report)
  if (isWanted('filter')) await measureFilter(stage, report)
  if (isWanted('unchanged')) {
    const portal = await startPortalOf(stage)
    await measureUnchanged(portal, report)
    await portal.stop()
  }
  if (isWanted('footprint')) await measureFootprint(stage, report)
  if (isWanted('pages', 'serving', 'keystroke', 'export', 'lighthouse', 'weather')) {
    const portal = await startPortalOf(stage)
    const visitor = await visitorOf(portal)
    if (isWanted('pages')) await measurePages(stage, portal, visitor, report)
    if (isWanted('serving')) await measureServing(portal, report)
    if (isWanted('keystroke')) await measureKeystroke(stage, portal, report)
    if (isWanted('export')) await measureExport(portal, report)
    if (isWanted('lighthouse')) await measureLighthouse(stage, portal, report)
    if (isWanted('weather')) await measureWeather(stage, portal, visitor, report)
    await portal.stop()
  }
  await stage.api.end()
}

const unknown = positionals.find((section) => !sections.some((known) => known === section))
if (unknown !== undefined) {
  console.error(`npm run bench -- [${sections.join(' | ')}] [--rows 100000]`)
  process.exit(2)
}
endOnSignals()
try {
  const version = await postgresqlVersion()
  if (version === undefined)
    throw new Error('no PostgreSQL answers at BENCH_DATABASE_URL or TEST_DATABASE_URL')
  const began = performance.now()
  if (isWanted(...onFullStage)) await measureFull(await newPlace())
  if (isWanted('first-sync')) await measureFirstSync(await newPlace(), reporter('postgresql'))
  const cpus = `${availableParallelism()} CPUs`
  const versions = [`Node ${process.versions.node}`, `PostgreSQL ${version}`, cpus]
  const minutes = `${((performance.now() - began) / 60_000).toFixed(1)} minutes`
  console.log(`\n${[...versions, minutes].join(', ')}\n\n${tableOf(allResults())}`)
  if (allResults().some(({ met }) => met === false)) process.exitCode = 1
} finally {
  await endEverything()
}
