import { join } from 'node:path'
import { ConfigurationError, readOperatorConfig } from '../config.ts'
import { DatabaseUnavailableError } from '../errors.ts'
import { createLogger } from '../logger.ts'
import { organisationKey } from '../organisation.ts'
import { openDatabase } from '../store/database.ts'
import { migrate } from '../store/migrations.ts'
import { type CommandResult, runCommand, usage } from './commands.ts'
import { callOperatorSocket } from './operator-socket.ts'

type OperatorConfig = ReturnType<typeof readOperatorConfig>

const runHere = async (config: OperatorConfig, argv: readonly string[]): Promise<CommandResult> => {
  const { databaseUrl: url, dataDir } = config
  const organisations = new Map(
    config.organisations.map(({ organisation }) => [organisationKey(organisation), organisation]),
  )
  const database = await openDatabase({ url, dataDir, logger: createLogger('error', process.stderr) })
  try {
    await migrate(database)
    return await runCommand({ database, organisations }, argv)
  } finally {
    await database.close()
  }
}

/** The embedded database belongs to one process: while the portal runs, the portal does the command. */
const run = async (argv: readonly string[]): Promise<CommandResult> => {
  if (argv[0] === 'help') return { exitCode: 0, output: usage, error: '' }
  const config = readOperatorConfig()
  const running = config.databaseUrl === undefined ? join(config.dataDir, 'operator.sock') : undefined
  return (running && (await callOperatorSocket(running, argv))) || runHere(config, argv)
}

/** What the operator can put right is told in words; anything else with its stack. */
const explain = (error: unknown): string => {
  if (error instanceof ConfigurationError) return error.problems.join('\n')
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof DatabaseUnavailableError)) return error.stack ?? error.message
  return error.cause instanceof Error ? `${error.message}\n${error.cause.message}` : error.message
}

const failed = (error: unknown): CommandResult => ({ exitCode: 1, output: '', error: explain(error) })

const { exitCode, output, error } = await run(process.argv.slice(2)).catch(failed)
if (output !== '') console.log(output)
if (error !== '') console.error(error)
process.exitCode = exitCode
