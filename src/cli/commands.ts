import { migrate, schemaVersion, type SchemaVersion } from '../store/migrations.ts'
import { listUsers } from '../store/users.ts'
import { CommandError, refuseMore } from './arguments.ts'
import { audit } from './audit.ts'
import type { Command, CommandCall, CommandDeps, CommandResult } from './command.ts'
import { grant, grants, revoke } from './grants.ts'
import { importGrants } from './import.ts'
import { signOutUser } from './sign-out.ts'
import { status } from './status.ts'
import { sync } from './sync.ts'
import { printable, table } from './table.ts'

/** What `help` prints. */
export const usage = `npm run portal -- <command>

  grant <user-id> partner <partner-id>      let a user act as a partner
  grant <user-id> merchant <scheme> <id>    let a user act as a merchant, such as business:NO:ORG 987654321
    --role viewer|developer                 what they see: all but Developers (as a new grant does), or all
    --until 2026-12-31|never                its last day, to its end in UTC
    --reason "..." --by <name>              why, and who gives it, if not who types this
  revoke <user-id> partner <partner-id>     take it away, from the user's next click on
  revoke <user-id> merchant <scheme> <id>
  grants [user-id]                          who may act as what, until when, by whom and why
  import <file.csv> [--apply] [--by <name>] what a file of grants would change; with --apply, change it
  audit                                     who did what, the newest last
    --user <user-id> --organisation partner:12345 --event page --since 2026-11-01|7d --limit 100 --json
  users                                     who has signed in
  sign-out <user-id> [--by <name>]          end all of a user's sessions, now
  status                                    how fresh what the portal knows is, and what cannot be read
  sync                                      read everything now, and wait for it
  sync partner <partner-id>                 the same of one organisation
  sync merchant <scheme> <id>
  help                                      this text`

const users: Command = async ({ database }, values) => {
  refuseMore(values, 0)
  const rows = (await listUsers(database.kysely)).map(({ id, name, email, firstSignedInAt, lastSignedInAt }) => [
    id,
    name ?? '-',
    email ?? '-',
    firstSignedInAt.toISOString(),
    lastSignedInAt.toISOString(),
  ])
  if (rows.length === 0) return 'Nobody has signed in yet.'
  return table(['USER ID', 'NAME', 'E-MAIL', 'FIRST SIGNED IN', 'LAST SIGNED IN'], rows)
}

const commands: ReadonlyMap<string, Command> = new Map([
  ['grant', grant],
  ['revoke', revoke],
  ['grants', grants],
  ['import', importGrants],
  ['audit', audit],
  ['users', users],
  ['sign-out', signOutUser],
  ['status', status],
  ['sync', sync],
  ['help', () => usage],
])

const remedies: Readonly<Record<Exclude<SchemaVersion, 'current'>, string>> = {
  empty: 'the database is empty: start the portal, which makes its tables, or check DATABASE_URL',
  older: 'the database is of an older version of the portal: start this version, which brings it up to date',
  newer: 'the database is of a newer version of the portal: use the commands of that version',
}

/**
 * Runs one of the operator's commands. What the operator can put right is in the result; a database that fails is
 * thrown.
 */
export async function runCommand(
  deps: CommandDeps,
  argv: readonly string[],
  call: CommandCall,
): Promise<CommandResult> {
  const [name = '', ...values] = argv
  try {
    const command = commands.get(name)
    if (!command) {
      throw new CommandError(name === '' ? 'a command is missing' : `there is no command "${printable(name)}"`, 2)
    }
    if (isReadOnly(name, values)) await requireCurrent(deps)
    else if (name !== 'help') await migrate(deps.database, deps.logger)
    return { exitCode: 0, output: await command(deps, values, call), error: '' }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const explained = error.exitCode === 2 ? `${error.message}\n\n${usage}` : error.message
    return { exitCode: error.exitCode, output: '', error: explained }
  }
}

function isReadOnly(name: string, values: readonly string[]): boolean {
  return ['grants', 'audit', 'users', 'status'].includes(name) || (name === 'import' && !values.includes('--apply'))
}

/** What only reads changes nothing, not even the tables' version. @throws CommandError */
async function requireCurrent({ database }: CommandDeps): Promise<void> {
  const version = await schemaVersion(database)
  if (version !== 'current') throw new CommandError(remedies[version], 3)
}
