import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { measureAbuse } from './abuse.ts'
import { measureActivity } from './activity.ts'
import { measureFilter } from './filter.ts'
import { onServer } from './fixture.ts'
import { measureKeystroke } from './keystroke.ts'
import { createLargeFixture, type LargeFixture } from './large-fixture.ts'
import { measureLighthouse } from './lighthouse.ts'
import { measureKill, measureOrganisations } from './organisations.ts'
import { measureNotices } from './notices.ts'
import { measureFootprint, measureHome, measurePages } from './pages.ts'
import { endAll } from './processes.ts'
import { table } from './report.ts'
import { measureFirstSync, measurePagesDuringSync, measureUnchanged } from './sync.ts'

const sections: Readonly<Record<string, () => Promise<void>>> = {
  'first-sync': measureFirstSync,
  organisations: measureOrganisations,
  kill: measureKill,
  activity: async () => measureActivity(Number(values.rows ?? 10_000_000)),
  notices: measureNotices,
  filter: async () => measureFilter(await large()),
  unchanged: async () => measureUnchanged(await large()),
  'pages-during-sync': async () => measurePagesDuringSync(await large()),
  pages: async () => measurePages(await large()),
  footprint: async () => measureFootprint(await large()),
  keystroke: async () => measureKeystroke(await createLargeFixture(1200)),
  abuse: async () => measureAbuse(await large()),
  home: async () => measureHome(await large()),
  lighthouse: async () => measureLighthouse(await createLargeFixture(1200)),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string' } },
})
if (positionals.some((name) => !sections[name]) || !/^[1-9]\d{2,7}$/.test(values.rows ?? '100000')) {
  console.error(`npm run bench -- [${Object.keys(sections).join(' | ')}] [--rows 100000, of activity 10000000]`)
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void endAll().finally(() => process.exit(130)))

let created: Promise<LargeFixture> | undefined
async function large(): Promise<LargeFixture> {
  return (created ??= createLargeFixture(Number(values.rows ?? 100_000)))
}

const began = performance.now()
try {
  for (const [name, measure] of Object.entries(sections)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    console.log(name)
    await measure()
  }
} finally {
  await endAll()
  const [postgresql] = await onServer('show server_version')
  const minutes = ((performance.now() - began) / 60_000).toFixed(1)
  const machine = `PostgreSQL ${String(postgresql?.['server_version'])}, ${availableParallelism()} CPUs`
  console.log(`\nNode ${process.versions.node}, ${machine}, ${minutes} minutes\n\n${table()}`)
}
