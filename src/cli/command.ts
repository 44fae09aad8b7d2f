import type { Logger } from '../logger.ts'
import { type Organisation, type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { Database } from '../store/database.ts'
import type { Sync } from '../sync/sync.ts'
import { CommandError } from './arguments.ts'
import { printable } from './table.ts'
import { inWords } from './messages.ts'

/**
 * What a command prints on stdout and stderr, without the last line break. `exitCode`: 0 success, 1 failure, 2 usage, 3
 * database schema of another version.
 */
export type CommandResult = { readonly exitCode: number; readonly output: string; readonly error: string }

/** Dependencies of the commands. `organisations` holds the organisations file by organisationKey(). */
export type CommandDeps = {
  readonly database: Database
  readonly organisations: ReadonlyMap<string, Organisation>
  /** The path of the organisations file; absent without ORGANISATIONS_FILE. */
  readonly organisationsFile?: string | undefined
  /** Channels may be in the operator's own network (CHANNELS_ALLOW_PRIVATE). */
  readonly allowPrivateChannels?: boolean
  /** Receives the audit log's lines. */
  readonly logger: Logger
  /** Starts the sync in this process. */
  readonly sync: () => Promise<Pick<Sync, 'tick'>>
}

/** The invocation of a command: its progress output (one line per call), its operator and its cancellation. */
export type CommandCall = {
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
  /** The operating system user who runs the command. */
  readonly operator: string
  /** Asks a question that is answered with yes or no; absent without a terminal. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined
  /** The content of the file argument. */
  readonly input?: string | undefined
  /** Resolves when stdout has drained, so that long output needs no memory. */
  readonly drained?: () => Promise<void>
}

/** A command for the operator. @returns its final output @throws CommandError */
export type Command = (deps: CommandDeps, values: readonly string[], call: CommandCall) => Promise<string> | string

/**
 * Asks before something is deleted for ever, unless the operator has said `--yes`.
 * @throws CommandError when the answer is no, or when nobody can be asked
 */
export async function confirmDeletion(question: string, yes: boolean, { confirm }: CommandCall): Promise<void> {
  if (yes) return
  if (!confirm) throw new CommandError(`${question}\nThere is no terminal to ask on: add --yes to delete it`)
  if (!(await confirm(`${question} yes or no: `))) throw new CommandError('nothing was deleted')
}

/** An organisation by name, if it has one, with the arguments that name it on the command line. */
export function describeOrganisation(
  { organisations }: Pick<CommandDeps, 'organisations'>,
  reference: OrganisationReference,
): string {
  const key = organisationKey(reference)
  const name = organisations.get(key)?.name
  return name === undefined ? inWords(key) : `${printable(name)} (${inWords(key)})`
}
