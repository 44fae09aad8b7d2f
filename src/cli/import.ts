import { insertAudit, logAudit } from '../store/audit.ts'
import type { Handle } from '../store/database.ts'
import { grantsOfUsers, lockGrants, type StoredGrant, today, writeGrants } from '../store/grants.ts'
import { CommandError } from './arguments.ts'
import { type CommandDeps, type CommandCall } from './command.ts'
import { operatorOf, termsInWords, wasInWords } from './grants.ts'
import { importOptions } from './import-file.ts'
import { parseGrants, type ParsedGrant } from './import-rows.ts'
import { counted, inDigits, inWords } from './messages.ts'

type Change = { readonly grant: ParsedGrant; readonly before: StoredGrant | undefined }

/** True when the grant in the database already equals the file's; an empty reason keeps the existing one. */
function isUnchanged({ grant, before }: Change): boolean {
  return (
    before !== undefined &&
    !before.isOver &&
    before.role === grant.role &&
    before.until === grant.until &&
    (grant.reason === null || grant.reason === before.reason)
  )
}

/** The grants of the file beside those in the database. @throws CommandError with every error of the file */
async function changesOf(db: Handle, { organisations }: CommandDeps, text: string): Promise<Change[]> {
  const { grants, problems } = parseGrants(text, organisations, await today(db))
  if (problems.length > 0)
    throw new CommandError([...problems, `${counted(problems.length, 'errors')}: nothing was changed`].join('\n'))
  const existing = new Map(
    (await grantsOfUsers(db, [...new Set(grants.map(({ userId }) => userId))])).map((found) => [
      `${found.userId} ${found.organisation}`,
      found,
    ]),
  )
  return grants.map((grant) => ({ grant, before: existing.get(`${grant.userId} ${grant.organisation}`) }))
}

function lineOf({ grant, before }: Change): string {
  const { line, userId, organisation } = grant
  const what = `line ${line}: ${userId} ${inWords(organisation)}`
  if (!before) return `added    ${what}: ${termsInWords(grant)}`
  const isReasonOnly = !before.isOver && before.role === grant.role && before.until === grant.until
  const now = isReasonOnly ? 'reason changed' : `${wasInWords(before)} becomes ${termsInWords(grant)}`
  return `changed  ${what}: ${now}`
}

/**
 * `import <file> [--apply] [--by name]`: prints what a file of grants adds, changes and leaves unchanged. With
 * `--apply` it applies the file in one transaction. Grants that the file does not name stay as they are. @throws
 * CommandError
 */
export async function importGrants(
  deps: CommandDeps,
  values: readonly string[],
  { operator, input, tell, drained }: CommandCall,
): Promise<string> {
  const { apply, by: named } = importOptions(values)
  if (input === undefined) throw new CommandError('the file content is missing')
  const by = operatorOf(named, operator)
  const { kysely } = deps.database
  const work = async (db: Handle) => {
    if (apply) await lockGrants(db)
    const all = await changesOf(db, deps, input)
    const changes = all.filter((change) => !isUnchanged(change))
    const entries = changes.map(({ grant, before }) => ({
      event: 'grant' as const,
      userId: grant.userId,
      organisation: grant.organisation,
      details: {
        is: termsInWords(grant),
        ...(before ? { was: wasInWords(before) } : {}),
        by,
        via: 'import',
      },
    }))
    if (apply) {
      await writeGrants(
        db,
        changes.map(({ grant: { userId, organisation, role, until, reason } }) => ({
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
    return { changes, entries, unchanged: all.length - changes.length }
  }
  const { changes, entries, unchanged } = await kysely.transaction().execute(work)
  if (apply) logAudit(deps.logger, entries)
  for (const change of changes) {
    tell(lineOf(change))
    await drained?.()
  }
  const added = changes.filter(({ before }) => !before).length
  const summary = `${inDigits(added)} added, ${inDigits(changes.length - added)} changed, ${inDigits(unchanged)} unchanged`
  return apply ? `${summary}.` : `${summary}: dry run, nothing was changed. Run again with --apply to apply.`
}
