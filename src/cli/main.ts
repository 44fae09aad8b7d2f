import { once } from 'node:events'
import { userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { ConfigurationError, readOperatorConfig } from '../config/config.ts'
import { DatabaseUnavailableError } from '../errors.ts'
import { CommandError } from './arguments.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { usage } from './commands.ts'
import { importOptions, readImportFile } from './import-file.ts'
import { moveOptions } from './move.ts'
import { pricePackageOptions } from './price-packages.ts'
import { run } from './run.ts'
import { printable } from './table.ts'

// Warnings of Node and its libraries are for developers; they would stand between the lines of a command.
process.removeAllListeners('warning')

/** Runs the command; help works without configuration, and an unreadable file is reported without a database. */
async function perform(argv: readonly string[], call: CommandCall): Promise<CommandResult> {
  if (argv[0] === 'help' || argv.some((word) => word === '--help' || word === '-h'))
    return { exitCode: 0, output: usage, error: '' }
  const file = fileOf(argv)
  const input = file === undefined ? undefined : readImportFile(file)
  return run(readOperatorConfig(), argv, { ...call, input })
}

/** The file that the command reads; undefined for a command without one. @throws CommandError */
function fileOf([name, ...values]: readonly string[]): string | undefined {
  if (name === 'import') return importOptions(values).file
  if (name === 'price-packages') return pricePackageOptions(values).file
  return name === 'users' && values[0] === 'move' ? moveOptions(values.slice(1)).csv : undefined
}

const interrupted = new AbortController()
/** Under npm one Ctrl-C reaches this process twice: from the terminal, and forwarded by npm. */
const sameKeyMs = 500
let interruptedAt = Infinity

/** Exits with 128 plus the signal number, by convention; a second signal exits at once. */
function interruptedBy(code: number) {
  return (): void => {
    if (performance.now() - interruptedAt > sameKeyMs) process.exit(code)
    if (interrupted.signal.aborted) return
    interruptedAt = performance.now()
    process.exitCode = code
    interrupted.abort()
  }
}
process.on('SIGINT', interruptedBy(130)).on('SIGTERM', interruptedBy(143))

/** The message for an error that the operator can correct; other errors with their stack. */
function explain(error: unknown): string {
  if (interrupted.signal.aborted) return 'interrupted'
  if (error instanceof ConfigurationError) return error.problems.join('\n')
  if (error instanceof CommandError) return error.message
  if (!(error instanceof Error)) return String(error)
  return error instanceof DatabaseUnavailableError ? error.message : (error.stack ?? error.message)
}

function failed(error: unknown): CommandResult {
  return {
    exitCode: error instanceof CommandError ? error.exitCode : 1,
    output: '',
    error: explain(error),
  }
}

/** The operating system user; a container may have no name for it. */
function operator(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}

/** Asks on stderr, so that stdout has the output only. */
async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(printable(question), { signal: interrupted.signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

const call: CommandCall = {
  tell: (line) => console.log(printable(line)),
  signal: interrupted.signal,
  operator: operator(),
  confirm: process.stdin.isTTY ? confirm : undefined,
  drained: async () => {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
  },
}

const { exitCode, output, error } = await perform(process.argv.slice(2), call).catch(failed)
if (output !== '') console.log(output)
if (error !== '') console.error(error)
process.exitCode ??= exitCode
