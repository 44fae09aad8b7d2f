import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadingConfig } from '../config.ts'
import { createLogger } from '../logger.ts'
import { holdOrganisations } from '../organisations.ts'
import type { Reading } from '../reading.ts'
import { openDatabase } from '../store/database.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { runCommand } from './commands.ts'

/**
 * Runs a command on the database of the configuration. `sync` starts the sync in this process, as one more instance
 * beside the portals on the same database.
 */
export async function run(
  config: ReadingConfig,
  argv: readonly string[],
  call: CommandCall,
): Promise<CommandResult> {
  const logger = createLogger('error', process.stderr)
  const organisations = holdOrganisations(config.organisations.map(({ organisation }) => organisation))
  const database = openDatabase({ url: config.databaseUrl, logger })
  let reading: Reading | undefined
  const sync = async () => {
    // Loaded when it is needed: the other commands are quicker without it.
    const { openReading } = await import('../reading.ts')
    reading ??= await openReading(config, organisations, database, logger)
    return reading.sync
  }
  const deps = { database, organisations: organisations.current(), limits: config.apiLimits, sync, logger }
  try {
    return await runCommand(deps, argv, call)
  } finally {
    if (reading) await stopReading(reading, !call.signal.aborted)
    await database.close()
  }
}

/** What is under way when a command is done is mostly counting what was read, for the pages. */
const lastJobsMs = 5000

/** Stops reading; with `patience` what is under way ends first. */
async function stopReading({ sync }: Reading, patience: boolean): Promise<void> {
  const deadline = performance.now() + (patience ? lastJobsMs : 0)
  while (sync.running() > 0 && performance.now() < deadline) await sleep(50)
  await sync.stop()
}
