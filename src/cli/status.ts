import { type Backlog, backlogsOf } from '../store/backlog.ts'
import { countLeases } from '../store/leases.ts'
import { countNotices } from '../store/notice-queue.ts'
import type { RecordTable } from '../store/records.ts'
import { type UnreadMember, unreadMembersIn } from '../store/unread-members.ts'
import { refuseMore } from './arguments.ts'
import { type CommandDeps } from './command.ts'
import { table } from './table.ts'
import { byOrganisation, failureInWords, inDigits, inTime, inWords, isList, resourceWords } from './messages.ts'

const headings = ['ORGANISATION', 'WHAT', 'ROWS', 'LAST READ', 'DUE', 'NEVER READ', 'FAILING', 'SUSPECT']

function secondsBefore(at: Date, then: Date): number {
  return (at.getTime() - then.getTime()) / 1000
}

/** `2 min ago`, or the range from oldest to newest. */
function lastRead({ at, oldestCheckedAt: oldest, newestCheckedAt: newest }: Backlog): string {
  if (!oldest || !newest) return 'never'
  const [from, to] = [inTime(secondsBefore(at, oldest)), inTime(secondsBefore(at, newest))]
  return from === to ? `${to} ago` : `${from} to ${to} ago`
}

function failing(backlog: Backlog): string {
  const { failing: count, failingSince, at } = backlog
  if (count === 0 || !failingSince) return '-'
  return `${inDigits(count)} for ${inTime(secondsBefore(at, failingSince))}: ${failureInWords(backlog)}`
}

function orDash(count: number | null): string {
  return count === 0 ? '-' : inDigits(count ?? 0)
}

function rowOf(backlog: Backlog): string[] {
  const { organisation, resource, count, total, due, unread, suspectSince, at } = backlog
  return [
    inWords(organisation),
    resourceWords[resource],
    isList(resource) ? (total === null ? '-' : inDigits(total)) : inDigits(count),
    lastRead(backlog),
    orDash(due),
    orDash(unread),
    failing(backlog),
    suspectSince ? `for ${inTime(secondsBefore(at, suspectSince))}` : '-',
  ]
}

const unreadHeadings = ['ORGANISATION', 'RECORDS', 'MEMBER THAT CANNOT BE READ', 'IN', 'EXAMPLE IS']

const tableWords: Readonly<Record<RecordTable, string>> = {
  sales_units: 'sales units',
  merchants: 'merchants',
  product_orders: 'product orders',
  price_packages: 'price packages',
  templates: 'product order templates',
  webhooks: 'webhooks',
}

function unreadRowOf({ organisation, table: records, member, records: count, example }: UnreadMember): string[] {
  return [inWords(organisation), tableWords[records], member, inDigits(count), example]
}

/** `status`: prints how fresh the data is, what is due, what fails, and which members of records cannot be read. */
export async function status({ database, organisations }: CommandDeps, values: readonly string[]): Promise<string> {
  refuseMore(values, 0)
  const keys = [...organisations.keys()]
  if (keys.length === 0) return 'There are no organisations in the organisations file (ORGANISATIONS_FILE).'
  const backlogs = (await backlogsOf(database.kysely, keys)).toSorted(byOrganisation)
  const { due, leased } = await countLeases(database.kysely, keys)
  const unread = await unreadMembersIn(database.kysely, keys)
  const unseen = keys.filter((key) => !backlogs.some(({ organisation }) => organisation === key))
  return [
    ...(backlogs.length === 0 ? [] : [table(headings, backlogs.map(rowOf)), '']),
    ...(unread.length === 0 ? [] : [table(unreadHeadings, unread.map(unreadRowOf)), '']),
    ...unseen.map((key) => `${inWords(key)}: not synced yet.`),
    `Organisations: ${inDigits(leased)} syncing, ${inDigits(due)} due.`,
    noticesInWords(await countNotices(database.kysely, keys)),
  ].join('\n')
}

function noticesInWords({ waiting, retried, failed }: Awaited<ReturnType<typeof countNotices>>): string {
  return `Notices: ${inDigits(waiting)} waiting (${inDigits(retried)} after a failure), ${inDigits(failed)} given up.`
}
