import { once } from 'node:events'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, readOperatorConfig } from '../config.ts'
import { DatabaseUnavailableError } from '../errors.ts'
import { CommandError } from './arguments.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { usage } from './commands.ts'
import { readImportFile } from './import-file.ts'
import { callOperatorSocket } from './operator-socket.ts'
import { runHere } from './run-here.ts'
import { printable } from './table.ts'

/** The embedded database belongs to one process: while the portal runs, the portal does the command. */
const run = async (argv: readonly string[], call: CommandCall): Promise<CommandResult> => {
  if (argv[0] === 'help') return { exitCode: 0, output: usage, error: '' }
  const input = argv[0] === 'import' ? readImportFile(argv.slice(1)) : undefined
  const config = readOperatorConfig()
  const running = config.databaseUrl === undefined ? join(config.dataDir, 'operator.sock') : undefined
  const withInput = { ...call, input }
  return (running && (await callOperatorSocket(running, argv, withInput))) || runHere(config, argv, withInput)
}

const interrupted = new AbortController()
/** Ctrl-C reaches this process twice under npm, which hands on what the terminal has sent to both. */
const sameKeyMs = 500
let interruptedAt = Infinity

/** By convention 128 and the signal's number; who asks again means now. */
const interruptedBy = (code: number) => (): void => {
  if (performance.now() - interruptedAt > sameKeyMs) process.exit(code)
  if (interrupted.signal.aborted) return
  interruptedAt = performance.now()
  process.exitCode = code
  interrupted.abort()
}
process.on('SIGINT', interruptedBy(130)).on('SIGTERM', interruptedBy(143))

/** What the operator can put right is told in words; anything else with its stack. */
const explain = (error: unknown): string => {
  if (interrupted.signal.aborted) return 'interrupted: the running portal goes on with what it has begun'
  if (error instanceof ConfigurationError) return error.problems.join('\n')
  if (error instanceof CommandError) return error.message
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof DatabaseUnavailableError)) return error.stack ?? error.message
  return error.cause instanceof Error ? `${error.message}\n${error.cause.message}` : error.message
}

const failed = (error: unknown): CommandResult => ({
  exitCode: error instanceof CommandError ? error.exitCode : 1,
  output: '',
  error: explain(error),
})

/** Who typed it; a container may have no name for its user. */
const operator = (): string => {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}

const call: CommandCall = {
  tell: (line) => console.log(printable(line)),
  signal: interrupted.signal,
  operator: operator(),
  drained: async () => {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
  },
}
const { exitCode, output, error } = await run(process.argv.slice(2), call).catch(failed)
if (output !== '') console.log(output)
if (error !== '') console.error(error)
process.exitCode ??= exitCode
