import { insertAudit, logAudit } from '../store/audit.ts'
import { endSessionsOfUser } from '../store/sessions.ts'
import { parseOptions, parseUserId, refuseMore } from './arguments.ts'
import { type CommandCall, type CommandDeps } from './command.ts'
import { describeUser, operatorOf } from './grants.ts'

/**
 * `sign-out <user-id>`: ends every session of a user at once, as after the loss of a phone (OWASP ASVS 5, 7.4.5).
 * Grants stay, so the user can sign in again. @throws CommandError
 */
export async function signOutUser(
  { database, logger }: CommandDeps,
  words: readonly string[],
  { operator }: CommandCall,
): Promise<string> {
  const { values, positionals } = parseOptions(words, { by: { type: 'string' } })
  const userId = parseUserId(positionals[0])
  refuseMore(positionals, 1)
  const details = { reason: 'operator', by: operatorOf(values.by, operator) }
  const entries = await database.kysely.transaction().execute(async (trx) => {
    const ended = await endSessionsOfUser(trx, userId)
    const written = Array.from({ length: ended }, () => ({ event: 'session ended', userId, details }) as const)
    await insertAudit(trx, written)
    return written
  })
  logAudit(logger, entries)
  const user = await describeUser(database.kysely, userId)
  if (entries.length === 0) return `${user.words} was not signed in.`
  return `${user.words} has been signed out: ${entries.length} ${entries.length === 1 ? 'session' : 'sessions'}.`
}
