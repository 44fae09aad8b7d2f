import { type AuditEntry, insertAudit, logAudit } from '../store/audit.ts'
import { countUserRows, findUserData, removeUser, type UserRows } from '../store/user-data.ts'
import { listUsers } from '../store/users.ts'
import { CommandError, parseOptions, parseUserId, refuseMore } from './arguments.ts'
import { type CommandCall, type CommandDeps, confirmDeletion } from './command.ts'
import { describeUser, operatorOf } from './grants.ts'
import { moveUsers } from './move.ts'
import { listed } from './messages.ts'
import { printable, table } from './table.ts'

/** `users`, `users show <user-id>`, `users remove <user-id>` and `users move`. @throws CommandError */
export async function users(deps: CommandDeps, values: readonly string[], call: CommandCall): Promise<string> {
  const [what, ...rest] = values
  if (what === 'show') return show(deps, rest)
  if (what === 'remove') return remove(deps, rest, call)
  if (what === 'move') return moveUsers(deps, rest, call)
  refuseMore(values, 0)
  const rows = (await listUsers(deps.database.kysely)).map(({ id, name, email, firstSignedInAt, lastSignedInAt }) => [
    id,
    name ?? '-',
    email ?? '-',
    firstSignedInAt.toISOString(),
    lastSignedInAt.toISOString(),
  ])
  if (rows.length === 0) return 'No user has signed in yet.'
  return table(['USER ID', 'NAME', 'E-MAIL', 'FIRST SIGNED IN', 'LAST SIGNED IN'], rows)
}

/** Prints everything that is stored of a user as JSON, to answer the user's request for it. */
async function show({ database }: CommandDeps, values: readonly string[]): Promise<string> {
  const userId = parseUserId(values[0])
  refuseMore(values, 1)
  const data = await findUserData(database.kysely, userId)
  if (!data) throw new CommandError(`nothing is stored of ${userId}`)
  return JSON.stringify(data, null, 2).split('\n').map(printable).join('\n')
}

/** Deletes a user in one transaction with the audit entry, which has the ID and no name. */
async function remove(deps: CommandDeps, values: readonly string[], call: CommandCall): Promise<string> {
  const { database, logger } = deps
  const { values: options, positionals } = parseOptions(values, { yes: { type: 'boolean' }, by: { type: 'string' } })
  const userId = parseUserId(positionals[0])
  refuseMore(positionals, 1)
  const by = operatorOf(options.by, call.operator)
  const rows = await countUserRows(database.kysely, userId)
  const { words } = await describeUser(database.kysely, userId)
  if (Object.values(rows).every((count) => count === 0)) throw new CommandError(`nothing is stored of ${words}`)
  await confirmDeletion(`Delete ${words} for ever: ${inWords(rows)}?`, options.yes ?? false, call)
  const { deleted, entry } = await database.kysely.transaction().execute(async (trx) => {
    const removed = await removeUser(trx, userId)
    const written: AuditEntry = { event: 'user removed', userId, details: { reason: 'operator', by } }
    await insertAudit(trx, [written])
    return { deleted: removed, entry: written }
  })
  logAudit(logger, [entry])
  return `${userId} has been deleted: ${inWords(deleted)}. The audit log keeps the user ID.`
}

function inWords({ codes, mails, ...rows }: UserRows): string {
  return listed({ ...rows, 'pending codes': codes, 'counted mails': mails })
}
