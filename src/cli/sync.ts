import { setTimeout as sleep } from 'node:timers/promises'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { backlogsOf } from '../store/backlog.ts'
import { makeDue } from '../store/due.ts'
import { CommandError, parseOrganisation } from './arguments.ts'
import { type CommandCall, type CommandDeps, describeOrganisation } from './command.ts'
import {
  suspectLines,
  failureLines,
  haveListsFailed,
  progressLine,
  type Standing,
  standingOf,
  summaryLine,
} from './sync-progress.ts'
import { inDigits, inTime } from './messages.ts'

/** Intervals of polling and of output; unchanged progress is repeated after `repeatMs`. */
const pollMs = 300
const reportMs = 1000
const repeatMs = 10_000
/** Pauses last this many times the poll: with very many rows a poll is work for the database, too. */
const pauseFactor = 5
/** Gives up after so long without progress: when something fails, and when nothing is even tried. */
const hopelessMs = 60_000
const stuckMs = 300_000
/** Lines of progress at once. */
const mostLines = 10

/** An organisation that the command waits for. */
type Watched = {
  readonly key: string
  readonly first: number
  newest: number
  progressAt: number
  standing: Standing
  isOver: boolean
}

function chosen(deps: CommandDeps, values: readonly string[]): Organisation[] {
  if (values.length === 0) {
    if (deps.organisations.size > 0) return [...deps.organisations.values()]
    throw new CommandError('there are no organisations in the organisations file (ORGANISATIONS_FILE)')
  }
  const reference = parseOrganisation(values)
  const organisation = deps.organisations.get(organisationKey(reference))
  if (organisation) return [organisation]
  const name = describeOrganisation(deps, reference)
  throw new CommandError(`${name} is unknown: add it to the organisations file (ORGANISATIONS_FILE) first`)
}

async function standingsOf({ database }: CommandDeps, keys: readonly string[]): Promise<Standing[]> {
  const backlogs = Map.groupBy(await backlogsOf(database.kysely, keys), ({ organisation }) => organisation)
  return keys.map((key) => standingOf(backlogs.get(key) ?? []))
}

/** True when everything was tried, or waiting is pointless. */
function isOver({ standing, first, newest, progressAt }: Watched): boolean {
  const silentMs = performance.now() - progressAt
  if (standing.untried === 0) return true
  if (newest === first && haveListsFailed(standing)) return true
  return silentMs > (standing.failing > 0 ? hopelessMs : stuckMs)
}

function note(watched: Watched, standing: Standing): void {
  if (standing.newest !== watched.newest) watched.progressAt = performance.now()
  watched.newest = standing.newest
  watched.standing = standing
  watched.isOver = isOver(watched)
}

/** Reports progress about once a second, and unchanged progress every ten seconds. */
function createReporter({ tell }: CommandCall) {
  let [reportedAt, reported] = [-Infinity, '']
  return (active: readonly Watched[]): void => {
    const now = performance.now()
    const sinceMs = now - reportedAt
    if (sinceMs < reportMs || active.length === 0) return
    const lines = active.slice(0, mostLines).map(({ key, standing }) => progressLine(key, standing))
    const more = active.length - lines.length
    if (more > 0) lines.push(`and ${inDigits(more)} more organisations`)
    if (lines.join('\n') === reported && sinceMs < repeatMs) return
    for (const line of lines) tell(line)
    ;[reportedAt, reported] = [now, lines.join('\n')]
  }
}

/** Waits until each organisation is over, and reports progress. @throws the signal's reason */
async function watch(deps: CommandDeps, call: CommandCall, keys: readonly string[]): Promise<Watched[]> {
  const reportProgress = createReporter(call)
  const progressAt = performance.now()
  const all = (await standingsOf(deps, keys)).map((standing, index): Watched => {
    const { newest } = standing
    return { key: keys[index] ?? '', first: newest, newest, progressAt, standing, isOver: false }
  })
  for (;;) {
    const began = performance.now()
    const active = all.filter((watched) => !watched.isOver)
    const standings = await standingsOf(
      deps,
      active.map(({ key }) => key),
    )
    const pauseMs = Math.max(pollMs, pauseFactor * (performance.now() - began))
    for (const [index, watched] of active.entries()) note(watched, standings[index] ?? watched.standing)
    const left = active.filter((watched) => !watched.isOver)
    if (left.length === 0) return all
    reportProgress(left)
    await sleep(pauseMs, undefined, { signal: call.signal })
  }
}

/** `sync [organisation]`: refreshes everything now, and waits until it is done or fails. @throws CommandError */
export async function sync(deps: CommandDeps, values: readonly string[], call: CommandCall): Promise<string> {
  const organisations = chosen(deps, values)
  const keys = organisations.map(organisationKey)
  const began = performance.now()
  const engine = await deps.sync()
  for (const organisation of organisations) await makeDue(deps.database.kysely, organisation, { listsOnly: false })
  await engine.tick()
  const all = await watch(deps, call, keys).catch((error: unknown) => {
    if (!call.signal.aborted) throw error
    throw new CommandError('interrupted: progress is kept; the portal continues in the background')
  })
  const lines = all.flatMap(({ key, standing }) => [summaryLine(key, standing), ...suspectLines(key, standing)])
  const failures = all.flatMap(({ key, standing }) => failureLines(key, standing))
  const took = inTime((performance.now() - began) / 1000)
  if (failures.length === 0) return [...lines, `Sync finished in ${took}.`].join('\n')
  for (const line of lines) call.tell(line)
  throw new CommandError(
    [...failures, `Sync incomplete after ${took}; the portal retries in the background.`].join('\n'),
  )
}
