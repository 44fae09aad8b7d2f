import { type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import { logAudit } from '../store/audit.ts'
import {
  countOrganisationRows,
  isBeingSynced,
  type OrganisationRows,
  removeOrganisation,
  storedOrganisations,
} from '../store/organisation-data.ts'
import { CommandError, organisationIn, parseAnyOrganisation, parseOptions, refuseMore } from './arguments.ts'
import { type CommandCall, type CommandDeps, confirmDeletion, describeOrganisation } from './command.ts'
import { operatorOf } from './grants.ts'
import { inDigits, inWords, listed } from './messages.ts'
import { table } from './table.ts'

/** `organisations` and `organisations remove <organisation>`. @throws CommandError */
export async function organisations(deps: CommandDeps, values: readonly string[], call: CommandCall): Promise<string> {
  const [what, ...rest] = values
  if (what === 'remove') return remove(deps, rest, call)
  refuseMore(values, 0)
  const keys = await storedOrganisations(deps.database.kysely)
  if (keys.length === 0) return 'Nothing is stored of any organisation.'
  const rows: string[][] = []
  for (const key of keys) rows.push(await rowOf(deps, key))
  return table(['ORGANISATION', 'NAME', 'RECORDS', 'CHANGES', 'GRANTS'], rows)
}

async function rowOf({ database, organisations: configured }: CommandDeps, key: string): Promise<string[]> {
  const reference = organisationIn(inWords(key))
  const rows = reference && (await countOrganisationRows(database.kysely, reference))
  return [
    inWords(key),
    configured.get(key)?.name ?? '(not in the organisations file)',
    ...[rows && recordsIn(rows), rows?.changes, rows?.grants].map((count) => inDigits(count ?? 0)),
  ]
}

function recordsIn(rows: OrganisationRows): number {
  const { sales_units, merchants, product_orders, price_packages, templates, webhooks } = rows
  return sales_units + merchants + product_orders + price_packages + templates + webhooks
}

/** Deletes everything that is stored of an organisation, which must not be in the organisations file any more. */
async function remove(deps: CommandDeps, values: readonly string[], call: CommandCall): Promise<string> {
  const { database, logger } = deps
  const { values: options, positionals } = parseOptions(values, { yes: { type: 'boolean' }, by: { type: 'string' } })
  const reference = parseAnyOrganisation(positionals)
  const words = describeOrganisation(deps, reference)
  const by = operatorOf(options.by, call.operator)
  refuseConfigured(deps, reference, words)
  const rows = await countOrganisationRows(database.kysely, reference)
  if (Object.values(rows).every((count) => count === 0)) throw new CommandError(`nothing is stored of ${words}`)
  await confirmDeletion(`Delete everything of ${words} for ever: ${rowsInWords(rows)}?`, options.yes ?? false, call)
  const { deleted, entries } = await database.kysely.transaction().execute(async (trx) => {
    if (await isBeingSynced(trx, reference))
      throw new CommandError(
        `${words} is being synced: remove it from the organisations file of every instance, and try again in 20 s`,
      )
    return removeOrganisation(trx, reference, by)
  })
  logAudit(logger, entries)
  return `Everything of ${words} has been deleted: ${rowsInWords(deleted)}. The audit log keeps its entries.`
}

/** The portal would read everything again. @throws CommandError */
function refuseConfigured(deps: CommandDeps, reference: OrganisationReference, words: string): void {
  if (deps.organisationsFile === undefined)
    throw new CommandError('ORGANISATIONS_FILE is required, because an organisation in that file is not deleted')
  if (deps.organisations.has(organisationKey(reference)))
    throw new CommandError(`${words} is in the organisations file: remove it there first, which hides it at once`)
}

function rowsInWords(rows: OrganisationRows): string {
  return listed({
    'sales units': rows.sales_units,
    merchants: rows.merchants,
    'product orders': rows.product_orders,
    'price packages': rows.price_packages,
    'price package assignments': rows.price_package_assignments,
    templates: rows.templates,
    webhooks: rows.webhooks,
    changes: rows.changes,
    'sync states': rows.sync_state + rows.organisation_sync,
    notices: rows.notices + rows.notice_marks + rows.notice_settings,
    channels: rows.notice_channels,
    grants: rows.grants,
  })
}
