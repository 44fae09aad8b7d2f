import { type AuditEntry, insertAudit, logAudit } from '../store/audit.ts'
import type { Handle } from '../store/database.ts'
import { grantsOfUsers, lockGrants, moveGrants, type StoredGrant } from '../store/grants.ts'
import { CommandError, parseOptions, parseUserId, refuseMore } from './arguments.ts'
import type { CommandCall, CommandDeps } from './command.ts'
import { operatorOf, termsInWords, wasInWords } from './grants.ts'
import { counted, inWords } from './messages.ts'
import { type Move, parseMoves } from './move-rows.ts'

/** Parses the arguments of `users move`. @throws CommandError */
export function moveOptions(values: readonly string[]) {
  const { values: options, positionals } = parseOptions(values, {
    csv: { type: 'string' },
    apply: { type: 'boolean', default: false },
    by: { type: 'string' },
  })
  refuseMore(positionals, options.csv === undefined ? 2 : 0)
  if (options.apply && options.csv === undefined) throw new CommandError('--apply is for --csv <file>', 2)
  return { ...options, positionals }
}

/** True when these arguments of `users move` only show what they would move. @throws CommandError */
export function isDryMove(values: readonly string[]): boolean {
  const { csv, apply } = moveOptions(values)
  return csv !== undefined && !apply
}

/**
 * `users move <old-id> <new-id>` gives the grants of one user ID to another. `users move --csv <file> [--apply]` prints
 * what a file of pairs moves, and with `--apply` moves all of it or nothing. @throws CommandError
 */
export async function moveUsers(
  deps: CommandDeps,
  values: readonly string[],
  { operator, input, tell }: CommandCall,
): Promise<string> {
  const { csv, by: named, positionals } = moveOptions(values)
  const by = operatorOf(named, operator)
  const isDry = isDryMove(values)
  const moves = csv === undefined ? [pairOf(positionals)] : movesIn(input)
  const { grants, entries } = await deps.database.kysely.transaction().execute(async (db) => {
    if (!isDry) await lockGrants(db)
    const moved = await grantsToMove(db, moves)
    const written = moved.flatMap((grant) => entriesOf(grant, by))
    if (isDry) return { grants: moved, entries: [] }
    await moveGrants(db, moves)
    await insertAudit(db, written)
    return { grants: moved, entries: written }
  })
  logAudit(deps.logger, entries)
  for (const { line, from, to, grant } of grants)
    tell(
      `${line === undefined ? '' : `line ${line}: `}${inWords(grant.organisation)} from ${from} to ${to}: ${termsInWords(grant)}`,
    )
  const summary = `${counted(grants.length, 'grants')} ${isDry ? 'to move' : 'moved'}`
  return isDry ? `${summary}: dry run, nothing was changed. Run again with --apply to apply.` : `${summary}.`
}

function pairOf([from, to]: readonly string[]): Move {
  const move = { from: parseUserId(from), to: parseUserId(to) }
  if (move.from === move.to) throw new CommandError('the old and the new user ID are the same')
  return move
}

function movesIn(text: string | undefined): readonly Move[] {
  if (text === undefined) throw new CommandError('the file content is missing')
  const { moves, problems } = parseMoves(text)
  if (problems.length > 0) throw refusal(problems)
  return moves
}

function refusal(problems: readonly string[]): CommandError {
  return new CommandError([...problems, `${counted(problems.length, 'errors')}: nothing was changed`].join('\n'))
}

type MovedGrant = Move & { readonly grant: StoredGrant }

/** The grants that the moves concern. @throws CommandError when there are none, or when a user would have one twice */
async function grantsToMove(db: Handle, moves: readonly Move[]): Promise<MovedGrant[]> {
  const stored = Map.groupBy(
    await grantsOfUsers(db, [...new Set(moves.flatMap(({ from, to }) => [from, to]))]),
    ({ userId }) => userId,
  )
  const taken = new Set(moves.flatMap(({ to }) => (stored.get(to) ?? []).map((grant) => keyOf(to, grant))))
  const moved: MovedGrant[] = []
  const problems: string[] = []
  for (const move of moves)
    for (const grant of stored.get(move.from) ?? []) {
      const key = keyOf(move.to, grant)
      const where = move.line === undefined ? '' : `line ${move.line}: `
      if (taken.has(key))
        problems.push(
          `${where}${move.to} already has a grant for ${inWords(grant.organisation)}: revoke one of the two`,
        )
      taken.add(key)
      moved.push({ ...move, grant })
    }
  if (problems.length > 0) throw refusal(problems)
  if (moved.length === 0) throw new CommandError('none of these old user IDs has a grant: nothing was changed')
  return moved
}

function keyOf(userId: string, { organisation }: StoredGrant): string {
  return `${userId} ${organisation}`
}

/** One entry for each of the two users, so that the audit log of either tells the whole story. */
function entriesOf({ from, to, grant }: MovedGrant, by: string): AuditEntry[] {
  const { organisation } = grant
  return [
    { event: 'revoke', userId: from, organisation, details: { was: wasInWords(grant), by, movedTo: to } },
    { event: 'grant', userId: to, organisation, details: { is: termsInWords(grant), by, movedFrom: from } },
  ]
}
