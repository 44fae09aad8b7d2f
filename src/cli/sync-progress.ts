import type { Backlog } from '../store/backlog.ts'
import { byOrganisation, counted, failureInWords, inDigits, inWords, isList, resourceWords } from './messages.ts'

/** How an organisation's backlogs stand, taken together. */
export type Standing = {
  readonly backlogs: readonly Backlog[]
  readonly untried: number
  readonly failing: number
  /** What was tried, and failed. */
  readonly failed: number
  readonly refused: number
  /** When the API last told anything, in milliseconds by the database's clock; 0: never. */
  readonly newest: number
}

/** @param backlogs of one organisation */
export function standingOf(backlogs: readonly Backlog[]): Standing {
  const untried = sum(backlogs, 'untried')
  return {
    backlogs: backlogs.toSorted(byOrganisation),
    untried,
    failing: sum(backlogs, 'failing'),
    failed: sum(backlogs, 'count') - untried - sum(backlogs, 'read'),
    refused: sum(backlogs, 'refused'),
    newest: Math.max(0, ...backlogs.map(({ newestCheckedAt }) => newestCheckedAt?.getTime() ?? 0)),
  }
}

function sum(backlogs: readonly Backlog[], member: 'count' | 'untried' | 'failing' | 'refused' | 'read'): number {
  return backlogs.reduce((total, backlog) => total + backlog[member], 0)
}

/** Every list was tried and failed: what else there is fails the same way. */
export function haveListsFailed({ backlogs }: Standing): boolean {
  return backlogs
    .filter(({ resource }) => isList(resource))
    .every(({ untried, failing, count }) => untried === 0 && failing === count)
}

/** `partner 12345  sales units 1 200 of 1 250 read, 3 failing`: what there is still to read. */
export function progressLine(key: string, { backlogs, failed }: Standing): string {
  const lists = backlogs.filter(({ resource }) => isList(resource))
  const groups = [
    { words: 'lists', of: lists },
    ...backlogs
      .filter(({ resource }) => !isList(resource))
      .map((backlog) => ({ words: resourceWords[backlog.resource], of: [backlog] })),
  ]
  const parts = groups
    .filter(({ of }) => sum(of, 'untried') > 0)
    .map(({ words, of }) => `${words} ${inDigits(sum(of, 'read'))} of ${inDigits(sum(of, 'count'))} read`)
  return `${inWords(key)}  ${[...parts, ...(failed > 0 ? [`${inDigits(failed)} failing`] : [])].join(', ')}`
}

/** `partner 12345  read: 5 lists, 14 sales units, 9 merchants, webhooks of 14 sales units`. */
export function summaryLine(key: string, { backlogs }: Standing): string {
  const lists = sum(
    backlogs.filter(({ resource }) => isList(resource)),
    'read',
  )
  const parts = backlogs
    .filter(({ resource, read }) => !isList(resource) && read > 0)
    .map(({ resource, read }) =>
      resource === 'salesUnitWebhooks'
        ? `webhooks of ${counted(read, resourceWords.salesUnit)}`
        : counted(read, resourceWords[resource]),
    )
  const read = [...(lists > 0 ? [counted(lists, 'lists')] : []), ...parts]
  return `${inWords(key)}  read: ${read.length === 0 ? 'nothing' : read.join(', ')}`
}

/** What could not be read, and why; what was not tried because of that. */
export function failureLines(key: string, { backlogs }: Standing): string[] {
  return backlogs.flatMap((backlog) => {
    const { resource, count, untried, read } = backlog
    const failed = count - untried - read
    const what = isList(resource)
      ? resourceWords[resource]
      : `${inDigits(failed)} of ${inDigits(count)} ${resourceWords[resource]}`
    return [
      ...(failed > 0 ? [`${inWords(key)}: ${what} failed: ${failureInWords(backlog)}`] : []),
      ...(untried > 0 ? [`${inWords(key)}: ${inDigits(untried)} ${resourceWords[resource]} not tried`] : []),
    ]
  })
}

/** What the API said, and what is not believed before it says so again. */
export function suspectLines(key: string, { backlogs }: Standing): string[] {
  return backlogs
    .filter(({ suspectSince }) => suspectSince !== null)
    .map(
      ({ resource }) =>
        `${inWords(key)}  ${resourceWords[resource]}: has lost so much at once that it is read again soon, and believed then`,
    )
}
