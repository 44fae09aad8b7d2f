import { migrate, schemaVersion, type SchemaVersion } from '../store/migrations.ts'
import { CommandError } from './arguments.ts'
import { audit } from './audit.ts'
import type { Command, CommandCall, CommandDeps, CommandResult } from './command.ts'
import { grant, grants, revoke } from './grants.ts'
import { importGrants } from './import.ts'
import { isDryMove } from './move.ts'
import { changesChannels, notify } from './notify.ts'
import { organisations } from './organisations.ts'
import { pricePackageOptions, pricePackages } from './price-packages.ts'
import { signOutUser } from './sign-out.ts'
import { status } from './status.ts'
import { sync } from './sync.ts'
import { printable } from './table.ts'
import { users } from './users.ts'

/** The output of `help`. */
export const usage = `npm run portal -- <command>

  grant <user-id> partner <partner-id>      let a user act as a partner
  grant <user-id> merchant <scheme> <id>    let a user act as a merchant, such as business:NO:ORG 987654321
    --role viewer|developer                 viewer (default): all but Developers; developer: all
    --until 2026-12-31|never                last day of the grant, inclusive, in UTC
    --reason "..." --by <name>              reason, and who grants it (default: current OS user)
  revoke <user-id> partner <partner-id>     revoke a grant, from the user's next request on
  revoke <user-id> merchant <scheme> <id>
  grants [user-id]                          list grants with end, grantor and reason
  import <file.csv> [--apply] [--by <name>] show what a CSV file of grants changes; --apply applies it
  price-packages import <file.csv> [--dry-run]  write which price packages sales units have, by a CSV file
  audit                                     print the audit log, newest last
    --user <user-id> --organisation partner:12345 --event page --since 2026-11-01|7d --limit 100 --json
  users                                     list users who have signed in
  users show <user-id>                      print everything that is stored of a user
  users remove <user-id> [--yes]            delete a user, with sessions and grants
  users move <old-id> <new-id>              give the grants of one user ID to another, such as after a change of the eID
  users move --csv <file.csv> [--apply]     show what a file of user IDs moves; --apply moves it
  organisations                             list the organisations of which anything is stored
  organisations remove partner:12345 [--yes]  delete what is stored of an organisation that was removed from the file
  notify [partner:12345]                    list the channels of teams
  notify partner:12345 --slack|--teams|--webhook <url>
    --events completed,rejected,...         which events (default: all); --language en|nb|da|sv|fi (default: en)
  notify partner:12345 --remove <id>        remove a channel
  sign-out <user-id> [--by <name>]          end all sessions of a user
  status                                    show how fresh the data is, and what fails to sync
  sync                                      refresh everything now, and wait
  sync partner <partner-id>                 refresh one organisation
  sync merchant <scheme> <id>
  help                                      show this text, as --help and -h do after any command`

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['grant', grant],
  ['revoke', revoke],
  ['grants', grants],
  ['import', importGrants],
  ['price-packages', pricePackages],
  ['audit', audit],
  ['users', users],
  ['organisations', organisations],
  ['notify', notify],
  ['sign-out', signOutUser],
  ['status', status],
  ['sync', sync],
  ['help', () => usage],
])

const schemaErrors: Readonly<Record<Exclude<SchemaVersion, 'current'>, string>> = {
  empty: 'the database is empty: start the portal, which creates the tables, or check DATABASE_URL',
  older: 'the database schema is older than this version: start this version of the portal, which migrates it',
  newer: 'the database schema is newer than this version: use the commands of the newer version',
}

/**
 * Runs one command of the operator. Errors that the operator can correct are in the result. @throws
 * DatabaseUnavailableError and unexpected errors
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
      throw new CommandError(name === '' ? 'a command is missing' : `unknown command "${printable(name)}"`, 2)
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
  const [what = ''] = values
  if (name === 'price-packages') return pricePackageOptions(values).isDry
  if (name === 'notify') return !changesChannels(values)
  if (name === 'users' && what === 'move') return isDryMove(values.slice(1))
  if (['users', 'organisations'].includes(name)) return what !== 'remove'
  return ['grants', 'audit', 'status'].includes(name) || (name === 'import' && !values.includes('--apply'))
}

/** Requires the current schema: read-only commands do not migrate. @throws CommandError */
async function requireCurrent({ database }: CommandDeps): Promise<void> {
  const version = await schemaVersion(database)
  if (version !== 'current') throw new CommandError(schemaErrors[version], 3)
}
