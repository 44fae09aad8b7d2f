import { insertAudit, logAudit } from '../store/audit.ts'
import type { Handle } from '../store/database.ts'
import { grantsOfUsers, lockGrants, type StoredGrant, today, writeGrants } from '../store/grants.ts'
import { CommandError } from './arguments.ts'
import { type CommandDeps, type CommandCall } from './command.ts'
import { operatorOf, termsInWords, wasInWords } from './grants.ts'
import { importOptions } from './import-file.ts'
import { parseGrants, type WantedGrant } from './import-rows.ts'
import { counted, inDigits, inWords } from './messages.ts'

type Change = { readonly wanted: WantedGrant; readonly before: StoredGrant | undefined }

/** What the file says is so already; no reason in the file leaves the one that is there. */
function isLeft({ wanted, before }: Change): boolean {
  return (
    before !== undefined &&
    !before.isOver &&
    before.role === wanted.role &&
    before.until === wanted.until &&
    (wanted.reason === null || wanted.reason === before.reason)
  )
}

/** What the file asks for beside what there is. @throws CommandError with every mistake of the file */
async function changesOf(db: Handle, { organisations }: CommandDeps, text: string): Promise<Change[]> {
  const { grants, problems } = parseGrants(text, organisations, await today(db))
  if (problems.length > 0)
    throw new CommandError([...problems, `${counted(problems.length, 'mistakes')}: nothing was changed`].join('\n'))
  const there = new Map(
    (await grantsOfUsers(db, [...new Set(grants.map(({ userId }) => userId))])).map((found) => [
      `${found.userId} ${found.organisation}`,
      found,
    ]),
  )
  return grants.map((wanted) => ({ wanted, before: there.get(`${wanted.userId} ${wanted.organisation}`) }))
}

function lineOf({ wanted, before }: Change): string {
  const { line, userId, organisation } = wanted
  const what = `line ${line}: ${userId} ${inWords(organisation)}`
  if (!before) return `added    ${what}: ${termsInWords(wanted)}`
  const isReasonOnly = !before.isOver && before.role === wanted.role && before.until === wanted.until
  const now = isReasonOnly ? 'another reason' : `${wasInWords(before)} becomes ${termsInWords(wanted)}`
  return `changed  ${what}: ${now}`
}

/**
 * `import <file> [--apply] [--by name]`: says what a file of grants would add, change and leave; with `--apply` does it, all
 * or nothing. Grants that the file does not name are left alone.
 */
export async function importGrants(
  deps: CommandDeps,
  values: readonly string[],
  { operator, input, tell, drained }: CommandCall,
): Promise<string> {
  const { apply, by: named } = importOptions(values)
  if (input === undefined) throw new CommandError('the file was not sent along')
  const by = operatorOf(named, operator)
  const { kysely } = deps.database
  const work = async (db: Handle) => {
    if (apply) await lockGrants(db)
    const all = await changesOf(db, deps, input)
    const changes = all.filter((change) => !isLeft(change))
    const entries = changes.map(({ wanted, before }) => ({
      event: 'grant' as const,
      userId: wanted.userId,
      organisation: wanted.organisation,
      details: {
        is: termsInWords(wanted),
        ...(before ? { was: wasInWords(before) } : {}),
        by,
        via: 'import',
      },
    }))
    if (apply) {
      await writeGrants(
        db,
        changes.map(({ wanted: { userId, organisation, role, until, reason } }) => ({
          userId,
          organisation,
          role,
          until,
          reason,
          by,
        })),
      )
      await insertAudit(db, entries)
    }
    return { changes, entries, left: all.length - changes.length }
  }
  const { changes, entries, left } = await kysely.transaction().execute(work)
  if (apply) logAudit(deps.logger, entries)
  for (const change of changes) {
    tell(lineOf(change))
    await drained?.()
  }
  const added = changes.filter(({ before }) => !before).length
  const sum = `${inDigits(added)} added, ${inDigits(changes.length - added)} changed, ${inDigits(left)} left as they are`
  return apply ? `${sum}.` : `${sum}: nothing was done yet. Run it again with --apply to do so.`
}
