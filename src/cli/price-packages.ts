import { insertAudit, logAudit } from '../store/audit.ts'
import type { Handle } from '../store/database.ts'
import { assignmentsOf, partnerSalesUnits, writeAssignments } from '../store/price-package-assignments.ts'
import { pricePackagesWithIds } from '../store/price-packages.ts'
import { CommandError, organisationIn, parseOptions, refuseMore } from './arguments.ts'
import type { CommandCall, CommandDeps } from './command.ts'
import { operatorOf } from './grants.ts'
import { counted, inDigits, inWords } from './messages.ts'
import { type ParsedAssignment, parseAssignments } from './price-package-rows.ts'

/** Parses the arguments of `price-packages import <file> [--dry-run] [--by <name>]`. @throws CommandError */
export function pricePackageOptions(values: readonly string[]) {
  const { values: options, positionals } = parseOptions(values, {
    'dry-run': { type: 'boolean', default: false },
    by: { type: 'string' },
  })
  const [what, file] = positionals
  if (what !== 'import') throw new CommandError('price-packages import <file.csv> is the only form', 2)
  if (file === undefined) throw new CommandError('a file is missing', 2)
  refuseMore(positionals, 2)
  return { isDry: options['dry-run'], by: options.by, file }
}

/**
 * `price-packages import <file> [--dry-run] [--by name]`: writes which price package the sales units in the file have,
 * and from when: all lines or none. Assignments that the file does not name stay as they are. @throws CommandError
 */
export async function pricePackages(
  deps: CommandDeps,
  values: readonly string[],
  { operator, input, tell, drained }: CommandCall,
): Promise<string> {
  const { isDry, by: named } = pricePackageOptions(values)
  if (input === undefined) throw new CommandError('the file content is missing')
  const by = operatorOf(named, operator)
  const { changes, entries, unchanged } = await deps.database.kysely.transaction().execute(async (db) => {
    const all = await placed(db, deps, input)
    const changed = all.filter(({ before, pricePackageId }) => before !== pricePackageId)
    const written = isDry ? [] : await write(db, changed, by)
    return { changes: changed, entries: written, unchanged: all.length - changed.length }
  })
  logAudit(deps.logger, entries)
  for (const change of changes) {
    tell(lineOf(change))
    await drained?.()
  }
  const added = changes.filter(({ before }) => before === undefined).length
  const summary = `${inDigits(added)} added, ${inDigits(changes.length - added)} changed, ${inDigits(unchanged)} unchanged`
  return isDry ? `${summary}: dry run, nothing was changed. Run again without --dry-run to apply.` : `${summary}.`
}

/** A line of the file with its partner, and the price package ID that was stored for its sales unit and day. */
type Change = ParsedAssignment & { readonly organisation: string; readonly before: string | undefined }

/** The lines of the file with the partners of their sales units. @throws CommandError with every error of the file */
async function placed(db: Handle, { organisations }: CommandDeps, text: string): Promise<Change[]> {
  const partners = [...organisations].filter(([, { kind }]) => kind === 'partner').map(([key]) => key)
  if (partners.length === 0)
    throw new CommandError('the organisations file has no partner, or ORGANISATIONS_FILE is not set')
  const { assignments, problems } = parseAssignments(text)
  if (problems.length > 0) throw refusal(problems)
  const msns = [...new Set(assignments.map(({ msn }) => msn))]
  const units = Map.groupBy(await partnerSalesUnits(db, partners, msns), ({ msn }) => msn)
  const ids = [...new Set(assignments.map(({ pricePackageId }) => pricePackageId))]
  const known = new Set((await pricePackagesWithIds(db, ids)).map(({ organisation, id }) => `${organisation} ${id}`))
  const stored = new Map(
    (await assignmentsOf(db, partners, msns)).map(({ organisation, msn, from, pricePackageId }) => [
      `${organisation} ${msn} ${from}`,
      pricePackageId,
    ]),
  )
  const wrong: string[] = []
  const changes = assignments.flatMap((assignment): Change[] => {
    const { line, msn, pricePackageId, from } = assignment
    // A sales unit has one partner at a time; the current one comes first.
    const owners = (units.get(msn) ?? []).map(({ organisation }) => organisation)
    const organisation = owners.find((owner) => known.has(`${owner} ${pricePackageId}`))
    if (organisation !== undefined)
      return [{ ...assignment, organisation, before: stored.get(`${organisation} ${msn} ${from}`) }]
    const [owner] = owners
    wrong.push(
      owner === undefined
        ? `line ${line}: no partner has a sales unit ${msn}`
        : `line ${line}: ${pricePackageId} is not a price package of ${inWords(owner)}, which has the sales unit ${msn}`,
    )
    return []
  })
  if (wrong.length > 0) throw refusal(wrong)
  return changes
}

function refusal(problems: readonly string[]): CommandError {
  return new CommandError([...problems, `${counted(problems.length, 'errors')}: nothing was changed`].join('\n'))
}

/** Writes the changes of each partner, with an audit entry each. @returns the entries */
async function write(db: Handle, changes: readonly Change[], by: string) {
  const entries = []
  for (const [organisation, own] of Map.groupBy(changes, (change) => change.organisation)) {
    const partner = organisationIn(inWords(organisation))
    if (!partner) throw new Error(`${organisation} is no organisation`)
    await writeAssignments(db, partner, own)
    const added = own.filter(({ before }) => before === undefined).length
    const details = { added, changed: own.length - added, by }
    entries.push({ event: 'price packages imported' as const, organisation, details })
  }
  await insertAudit(db, entries)
  return entries
}

function lineOf({ line, organisation, msn, pricePackageId, from, before }: Change): string {
  const what = `line ${line}: ${inWords(organisation)} sales unit ${msn} from ${from}`
  return before === undefined
    ? `added    ${what}: ${pricePackageId}`
    : `changed  ${what}: ${before} becomes ${pricePackageId}`
}
