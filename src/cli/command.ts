import type { Logger } from '../logger.ts'
import { type Organisation, type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { Database } from '../store/database.ts'
import type { Sync } from '../sync/sync.ts'
import { printable } from './table.ts'
import { inWords } from './messages.ts'

/**
 * What a command prints on stdout and on stderr, without the last line break. `exitCode` 0; 1 failed, 2 usage, 3 another
 * version's database.
 */
export type CommandResult = { readonly exitCode: number; readonly output: string; readonly error: string }

/** `organisations` are those of the organisations file, by organisationKey(). */
export type CommandDeps = {
  readonly database: Database
  readonly organisations: ReadonlyMap<string, Organisation>
  /** Where the audit log's lines go. */
  readonly logger: Logger
  /** Starts the sync in this process. */
  readonly sync: () => Promise<Pick<Sync, 'tick'>>
}

/** Who calls a command, how one that takes its time speaks meanwhile, a line at a time, and how it is ended. */
export type CommandCall = {
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
  /** The name of the operating system's user whose shell it was typed in. */
  readonly operator: string
  /** The text of the file that it names. */
  readonly input?: string | undefined
  /** Resolves when what was told has gone out, so that very much of it needs no memory. */
  readonly drained?: () => Promise<void>
}

/** One of the operator's commands. @returns what it prints when it is done @throws CommandError */
export type Command = (deps: CommandDeps, values: readonly string[], call: CommandCall) => Promise<string> | string

/** An organisation by name, if it has one, and in the words that the commands take. */
export function describeOrganisation(
  { organisations }: Pick<CommandDeps, 'organisations'>,
  reference: OrganisationReference,
): string {
  const key = organisationKey(reference)
  const name = organisations.get(key)?.name
  return name === undefined ? inWords(key) : `${printable(name)} (${inWords(key)})`
}
