import type { Backlog } from '../store/backlog.ts'
import { byOrganisation, counted, failureInWords, inDigits, inWords, isList, resourceWords } from './messages.ts'

/** The progress of one organisation over all its resources. */
export type Standing = {
  readonly backlogs: readonly Backlog[]
  readonly untried: number
  readonly failing: number
  /** Items that were tried and failed. */
  readonly failed: number
  readonly refused: number
  /** The last successful answer of the API, in ms by the database's clock; 0 when there is none. */
  readonly newest: number
}

/** Sums the backlogs of one organisation. */
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

/** True when every list was tried and failed; then other reads fail for the same reason. */
export function haveListsFailed({ backlogs }: Standing): boolean {
  return backlogs
    .filter(({ resource }) => isList(resource))
    .every(({ untried, failing, count }) => untried === 0 && failing === count)
}

/** The progress of one organisation: `partner 12345  sales units 1 200 of 1 250 read, 3 failing`. */
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

/**
 * The result of one organisation: `partner 12345  read: 5 lists, 14 sales units, 9 merchants, webhooks of 14 sales
 * units`.
 */
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

/** What failed and why, and what was not tried because of that; one line per resource. */
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

/** One line per list that the shrink guard holds back until a second answer confirms it. */
export function suspectLines(key: string, { backlogs }: Standing): string[] {
  return backlogs
    .filter(({ suspectSince }) => suspectSince !== null)
    .map(
      ({ resource }) =>
        `${inWords(key)}  ${resourceWords[resource]}: SUSPECT, lost many rows at once; removed when a second read confirms it`,
    )
}
