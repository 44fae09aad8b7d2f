import { organisationKey } from '../organisation.ts'
import type { Handle } from '../store/database.ts'
import { addGrant, listGrants, removeGrant } from '../store/grants.ts'
import { findUser, listUsers } from '../store/users.ts'
import { CommandError, parseOrganisation, parseUserId, refuseMore } from './arguments.ts'
import {
  type Command,
  type CommandCall,
  type CommandDeps,
  type CommandResult,
  describeOrganisation,
} from './command.ts'
import { status } from './status.ts'
import { sync } from './sync.ts'
import { printable, table } from './table.ts'
import { inWords } from './words.ts'

/** What `help` prints. */
export const usage = `npm run portal -- <command>

  grant <user-id> partner <partner-id>      let a user act as a partner
  grant <user-id> merchant <scheme> <id>    let a user act as a merchant, such as business:NO:ORG 987654321
  revoke <user-id> partner <partner-id>     take it away, from the user's next click on
  revoke <user-id> merchant <scheme> <id>
  grants [user-id]                          who may act as what
  users                                     who has signed in
  status                                    how fresh what the portal knows is, and what cannot be read
  sync                                      read everything now, and wait for it
  sync partner <partner-id>                 the same of one organisation
  sync merchant <scheme> <id>
  help                                      this text`

const describeUser = async (db: Handle, userId: string): Promise<{ words: string; known: boolean }> => {
  const user = await findUser(db, userId)
  const name = printable(user?.name ?? user?.email ?? '')
  return { words: name === '' ? userId : `${name} (${userId})`, known: user !== undefined }
}

const grant: Command = async (deps, [id, ...values]) => {
  const userId = parseUserId(id)
  const organisation = parseOrganisation(values)
  const words = describeOrganisation(deps, organisation)
  if (!deps.organisations.has(organisationKey(organisation))) {
    throw new CommandError(`${words} is unknown: add it to the organisations file (ORGANISATIONS_FILE) first`)
  }
  const user = await describeUser(deps.database.kysely, userId)
  const added = await addGrant(deps.database.kysely, organisation, userId)
  const done = added ? `${user.words} may now act as ${words}.` : `${user.words} may already act as ${words}.`
  return user.known ? done : `${done}\nNote: nobody has signed in with this user ID yet.`
}

const revoke: Command = async (deps, [id, ...values]) => {
  const userId = parseUserId(id)
  const organisation = parseOrganisation(values)
  const words = describeOrganisation(deps, organisation)
  const user = await describeUser(deps.database.kysely, userId)
  if (await removeGrant(deps.database.kysely, organisation, userId)) {
    return `${user.words} may no longer act as ${words}.`
  }
  throw new CommandError(`${user.words} has no grant for ${words}: nothing was changed`)
}

const grants: Command = async ({ database, organisations }, values) => {
  refuseMore(values, 1)
  const userId = values[0] === undefined ? undefined : parseUserId(values[0])
  const all = await listGrants(database.kysely)
  const rows = all
    .filter((row) => userId === undefined || row.userId === userId)
    .map(({ userId: user, userName, organisation, grantedAt }) => [
      user,
      userName ?? '-',
      inWords(organisation),
      organisations.get(organisation)?.name ?? '(not in the organisations file)',
      grantedAt.toISOString(),
    ])
  if (rows.length === 0) return 'There are no grants.'
  return table(['USER ID', 'NAME', 'MAY ACT AS', 'ORGANISATION', 'SINCE'], rows)
}

const users: Command = async ({ database }, values) => {
  refuseMore(values, 0)
  const rows = (await listUsers(database.kysely)).map(
    ({ id, name, email, firstSignedInAt, lastSignedInAt }) => [
      id,
      name ?? '-',
      email ?? '-',
      firstSignedInAt.toISOString(),
      lastSignedInAt.toISOString(),
    ],
  )
  if (rows.length === 0) return 'Nobody has signed in yet.'
  return table(['USER ID', 'NAME', 'E-MAIL', 'FIRST SIGNED IN', 'LAST SIGNED IN'], rows)
}

const commands: ReadonlyMap<string, Command> = new Map([
  ['grant', grant],
  ['revoke', revoke],
  ['grants', grants],
  ['users', users],
  ['status', status],
  ['sync', sync],
  ['help', () => usage],
])

/**
 * Runs one of the operator's commands. What the operator can put right is in the result; a database that fails is
 * thrown.
 */
export const runCommand = async (
  deps: CommandDeps,
  argv: readonly string[],
  call: CommandCall,
): Promise<CommandResult> => {
  const [name = '', ...values] = argv
  try {
    const command = commands.get(name)
    if (!command) {
      throw new CommandError(
        name === '' ? 'a command is missing' : `there is no command "${printable(name)}"`,
        2,
      )
    }
    return { exitCode: 0, output: await command(deps, values, call), error: '' }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const explained = error.exitCode === 2 ? `${error.message}\n\n${usage}` : error.message
    return { exitCode: error.exitCode, output: '', error: explained }
  }
}
