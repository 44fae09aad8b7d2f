import { parseArgs } from 'node:util'
import { PortalError } from '../errors.ts'
import { stopOnSignals } from '../signals.ts'
import { startDemo } from './demo.ts'
import { demoPeople } from './people.ts'

const usage = `npm run demo                 start the portal with a demo eID and a demo Management API
npm run demo -- --reset      the same, afresh: throws away ./data
npm run demo -- --log info   with the portal's log (default: warn)`

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      reset: { type: 'boolean', default: false },
      log: { type: 'string', default: 'warn' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    console.log(usage)
    return
  }
  const demo = await startDemo({ dataDir: './data', reset: values.reset, logLevel: values.log })
  const width = Math.max(...demoPeople.map(({ name }) => name.length))
  console.log(`
The partner portal is at  ${demo.portalUrl}

Sign in as one of these; the demo eID lists them too:
${demoPeople.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`).join('\n')}

Everything is kept in ./data. Ctrl-C stops it; npm run demo -- --reset starts afresh.`)
  stopOnSignals(demo.stop)
}

try {
  await main()
} catch (error) {
  if (error instanceof PortalError) console.error(error.message)
  else if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS'))
    console.error(`${(error as Error).message}\n\n${usage}`)
  else console.error(error)
  process.exit(1)
}
