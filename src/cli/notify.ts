import { randomBytes } from 'node:crypto'
import { channelKinds, type NoticeEvent, noticeEvents, noticeEventsOf } from '../domain/notices.ts'
import { type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import { channelUrlProblem } from '../domain/public-address.ts'
import { type AuditEntry, insertAudit, logAudit } from '../store/audit.ts'
import { addNoticeChannel, type NoticeChannel, noticeChannels, removeNoticeChannel } from '../store/notice-channels.ts'
import { beginNotices } from '../store/notice-settings.ts'
import { CommandError, parseAnyOrganisation, parseOptions } from './arguments.ts'
import { type CommandCall, type CommandDeps, describeOrganisation } from './command.ts'
import { operatorOf } from './grants.ts'
import { inWords } from './messages.ts'
import { printable, table } from './table.ts'

const options = {
  slack: { type: 'string' },
  teams: { type: 'string' },
  webhook: { type: 'string' },
  remove: { type: 'string' },
  events: { type: 'string' },
  language: { type: 'string' },
  by: { type: 'string' },
} as const

const languages = ['en', 'nb', 'da', 'sv', 'fi']

/** True when the command adds or removes a channel. */
export function changesChannels(values: readonly string[]): boolean {
  return values.some((value) => /^--(slack|teams|webhook|remove)(=|$)/.test(value))
}

/**
 * `notify [organisation]`: lists channels. With `--slack`, `--teams` or `--webhook` it adds one, or changes that with
 * the same URL, and with `--remove` it removes one.
 * @throws CommandError
 */
export async function notify(deps: CommandDeps, values: readonly string[], { operator }: CommandCall): Promise<string> {
  const { values: given, positionals } = parseOptions(values, options)
  const kinds = channelKinds.filter((kind) => given[kind] !== undefined)
  if (kinds.length + (given.remove === undefined ? 0 : 1) > 1)
    throw new CommandError('give one of --slack, --teams, --webhook and --remove', 2)
  const [kind] = kinds
  if (kind === undefined && given.remove === undefined) return list(deps, positionals)
  const reference = parseAnyOrganisation(positionals)
  const by = operatorOf(given.by, operator)
  if (given.remove !== undefined) return remove(deps, reference, given.remove, by)
  const url = kind === undefined ? undefined : given[kind]
  if (kind === undefined || url === undefined) throw new CommandError('a URL is missing', 2)
  const language = given.language ?? 'en'
  if (!languages.includes(language)) throw new CommandError(`--language is one of ${languages.join(', ')}`)
  const problem = channelUrlProblem(url, deps.allowPrivateChannels ?? false)
  if (problem !== undefined) throw new CommandError(`the URL of --${kind} ${problem}`)
  const secret = kind === 'webhook' ? `whsec_${randomBytes(32).toString('base64')}` : null
  return add(deps, reference, { kind, url, secret, language, events: eventsOf(given.events, reference), addedBy: by })
}

async function list(deps: CommandDeps, positionals: readonly string[]): Promise<string> {
  const reference = positionals.length === 0 ? undefined : parseAnyOrganisation(positionals)
  const channels = await noticeChannels(deps.database.kysely, reference)
  if (channels.length === 0) return 'There are no channels.'
  const rows = channels.map(({ id, organisation, kind, url, events, language, addedBy }) => [
    id,
    inWords(organisation),
    kind,
    redacted(url),
    events.join(','),
    language,
    addedBy,
  ])
  return table(['ID', 'ORGANISATION', 'KIND', 'URL', 'EVENTS', 'LANGUAGE', 'BY'], rows)
}

/** Enough of a URL to recognise it: its host and its last characters. */
function redacted(url: string): string {
  return `${new URL(url).origin}/…${url.slice(-4)}`
}

/** The events that `--events` names; all that the organisation has by default. @throws CommandError */
function eventsOf(value: string | undefined, reference: OrganisationReference): NoticeEvent[] {
  const possible = noticeEventsOf(reference, 'developer')
  if (value === undefined) return possible
  const named = value.split(',').map((name) => name.trim())
  const unknown = named.find((name) => !possible.some((event) => event === name))
  if (unknown !== undefined) throw new CommandError(`"${printable(unknown)}" is not an event: ${possible.join(', ')}`)
  return noticeEvents.filter((event) => named.includes(event))
}

async function add(
  deps: CommandDeps,
  reference: OrganisationReference,
  channel: Omit<NoticeChannel, 'id' | 'organisation'>,
): Promise<string> {
  const words = describeOrganisation(deps, reference)
  const organisation = organisationKey(reference)
  if (!deps.organisations.has(organisation))
    throw new CommandError(`${words} is unknown: add it to the organisations file (ORGANISATIONS_FILE) first`)
  const { kind, secret, events, addedBy: by } = channel
  const details = { kind, events: events.join(','), by }
  const entry: AuditEntry = { event: 'channel added', organisation, details }
  const id = await deps.database.kysely.transaction().execute(async (trx) => {
    await beginNotices(trx, reference)
    await insertAudit(trx, [entry])
    return addNoticeChannel(trx, reference, channel)
  })
  logAudit(deps.logger, [entry])
  return [
    `${words} now tells ${kind} (${id}) of: ${events.join(', ')}.`,
    ...(secret === null ? [] : [`The key that signs its messages, which is not shown again: ${secret}`]),
  ].join('\n')
}

async function remove(deps: CommandDeps, reference: OrganisationReference, id: string, by: string): Promise<string> {
  const organisation = organisationKey(reference)
  const words = describeOrganisation(deps, reference)
  const entry: AuditEntry = { event: 'channel removed', organisation, details: { by } }
  const removed = await deps.database.kysely.transaction().execute(async (trx) => {
    if (!/^[\da-f-]{36}$/i.test(id) || !(await removeNoticeChannel(trx, reference, id))) return false
    await insertAudit(trx, [entry])
    return true
  })
  if (!removed) throw new CommandError(`${words} has no channel with this ID: "notify" lists them`)
  logAudit(deps.logger, [entry])
  return `The channel of ${words} has been removed.`
}
