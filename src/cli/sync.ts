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

/** Looked at this often, and told this often; told again after `repeatMs` though nothing has changed. */
const lookMs = 300
const tellMs = 1000
const repeatMs = 10_000
/** Looking takes at most this share of the time: with very many rows it is work for the database, too. */
const lookShare = 5
/** So long without anything read, and it is no use to wait: when something fails; and when nothing even does. */
const hopelessMs = 60_000
const stuckMs = 300_000
/** Lines of progress at once. */
const mostLines = 10

/** What is known of an organisation while it is read. */
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
  const words = describeOrganisation(deps, reference)
  throw new CommandError(`${words} is unknown: add it to the organisations file (ORGANISATIONS_FILE) first`)
}

async function standingsOf({ database }: CommandDeps, keys: readonly string[]): Promise<Standing[]> {
  const backlogs = Map.groupBy(await backlogsOf(database.kysely, keys), ({ organisation }) => organisation)
  return keys.map((key) => standingOf(backlogs.get(key) ?? []))
}

/** Read, or not worth waiting for any longer. */
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

/** Tells how far it is, about once a second, and every ten seconds when nothing happens. */
function createTeller({ tell }: CommandCall) {
  let [toldAt, told] = [-Infinity, '']
  return (reading: readonly Watched[]): void => {
    const now = performance.now()
    const sinceMs = now - toldAt
    if (sinceMs < tellMs || reading.length === 0) return
    const lines = reading.slice(0, mostLines).map(({ key, standing }) => progressLine(key, standing))
    const more = reading.length - lines.length
    if (more > 0) lines.push(`and ${inDigits(more)} more organisations`)
    if (lines.join('\n') === told && sinceMs < repeatMs) return
    for (const line of lines) tell(line)
    ;[toldAt, told] = [now, lines.join('\n')]
  }
}

/** Waits until each is over, telling how far it is. @throws the signal's reason */
async function watch(deps: CommandDeps, call: CommandCall, keys: readonly string[]): Promise<Watched[]> {
  const tellProgress = createTeller(call)
  const progressAt = performance.now()
  const all = (await standingsOf(deps, keys)).map((standing, index): Watched => {
    const { newest } = standing
    return { key: keys[index] ?? '', first: newest, newest, progressAt, standing, isOver: false }
  })
  for (;;) {
    const began = performance.now()
    const reading = all.filter((watched) => !watched.isOver)
    const standings = await standingsOf(
      deps,
      reading.map(({ key }) => key),
    )
    const pauseMs = Math.max(lookMs, lookShare * (performance.now() - began))
    for (const [index, watched] of reading.entries()) note(watched, standings[index] ?? watched.standing)
    const left = reading.filter((watched) => !watched.isOver)
    if (left.length === 0) return all
    tellProgress(left)
    await sleep(pauseMs, undefined, { signal: call.signal })
  }
}

/** `sync [organisation]`: has everything of it read now, and waits until it has been, or cannot be. */
export async function sync(deps: CommandDeps, values: readonly string[], call: CommandCall): Promise<string> {
  const organisations = chosen(deps, values)
  const keys = organisations.map(organisationKey)
  const began = performance.now()
  const engine = await deps.sync()
  for (const organisation of organisations) await makeDue(deps.database.kysely, organisation, { listsOnly: false })
  await engine.tick()
  const all = await watch(deps, call, keys).catch((error: unknown) => {
    if (!call.signal.aborted) throw error
    throw new CommandError('interrupted: what was read is kept, and the rest is read in its turn')
  })
  const lines = all.flatMap(({ key, standing }) => [summaryLine(key, standing), ...suspectLines(key, standing)])
  const failures = all.flatMap(({ key, standing }) => failureLines(key, standing))
  const took = inTime((performance.now() - began) / 1000)
  if (failures.length === 0) return [...lines, `All was read in ${took}.`].join('\n')
  for (const line of lines) call.tell(line)
  throw new CommandError([...failures, `Not all could be read, in ${took}; it is tried again later.`].join('\n'))
}
