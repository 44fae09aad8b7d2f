import { setTimeout as sleep } from 'node:timers/promises'
import type { OperatorConfig } from '../config/config.ts'
import { createLogger } from '../logger.ts'
import { holdOrganisations } from '../domain/organisations.ts'
import { openDatabase } from '../store/database.ts'
import type { RunningSync } from '../sync/setup.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { runCommand } from './commands.ts'

/**
 * Runs a command on the configured database. `sync` starts the sync in this process, as one more instance beside the
 * portals on the same database.
 */
export async function run(config: OperatorConfig, argv: readonly string[], call: CommandCall): Promise<CommandResult> {
  const logger = createLogger('error', process.stderr)
  const organisations = holdOrganisations(config.organisations.map(({ organisation }) => organisation))
  const database = openDatabase({ url: config.databaseUrl, connections: config.databaseConnections, logger })
  let running: RunningSync | undefined
  const sync = async () => {
    // Loaded on demand: the other commands start faster without it.
    const { openSync } = await import('../sync/setup.ts')
    running ??= await openSync(config, organisations, database, logger)
    return running.sync
  }
  const { organisationsFile, allowPrivateChannels } = config
  const deps = {
    database,
    organisations: organisations.current(),
    organisationsFile,
    allowPrivateChannels,
    sync,
    logger,
  }
  try {
    return await runCommand(deps, argv, call)
  } finally {
    if (running) await stopSync(running, !call.signal.aborted)
    await database.close()
  }
}

/** Stops the sync; with `patience` it waits up to `lastWorkMs` for running work. */
async function stopSync({ sync }: RunningSync, patience: boolean): Promise<void> {
  const deadline = performance.now() + (patience ? lastWorkMs : 0)
  while (sync.working() > 0 && performance.now() < deadline) await sleep(50)
  await sync.stop()
}

/** Work that still runs when a command is done is mostly counting rows for the pages. */
const lastWorkMs = 5000
