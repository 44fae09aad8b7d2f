import { stopOnSignals } from '../src/signals.ts'
import { startDemo } from './demo.ts'
import { describeFailure } from './failure.ts'
import { demoPeople } from './people.ts'
import { DemoSwitchError, demoUsage, parseDemoSwitches, describeFaults } from './switches.ts'

async function main(): Promise<void> {
  const switches = parseDemoSwitches(process.argv.slice(2), process.env['PORT'])
  if (switches.help) {
    console.log(demoUsage)
    return
  }
  const demo = await startDemo({ dataDir: './data', ...switches })
  stopOnSignals(demo.stop)
  void demo.databaseDied.then(() => {
    console.error('demo database ended unexpectedly')
    process.exit(1)
  })
  const width = Math.max(...demoPeople.map(({ name }) => name.length))
  console.log(`
The partner portal is at  ${demo.portalUrl}
Its mails land at         ${demo.inboxUrl}

Sign in as one of these; the demo eID lists them too:
${demoPeople.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`).join('\n')}

The demo Management API ${describeFaults(switches.faults)}; partner 23456 has ${switches.salesUnits} sales units.
The operator's commands: npm run demo:portal -- status
psql: psql '${demo.databaseUrl}'
Everything is kept in ./data. Ctrl-C stops it; npm run demo -- --reset starts afresh.`)
}

try {
  await main()
} catch (error) {
  if (error instanceof DemoSwitchError) console.error(`${error.message}\n\n${demoUsage}`)
  else console.error(describeFailure(error) ?? error)
  process.exit(1)
}
