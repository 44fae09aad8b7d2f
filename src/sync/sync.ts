import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseUnavailableError } from '../errors.ts'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Organisations } from '../organisations.ts'
import { dueOrganisations, expectReadings, isListDue, makeDue } from '../store/due-work.ts'
import { listResources, type Resource } from '../store/readings.ts'
import { createTidying } from './apply.ts'
import { readDetails } from './details-run.ts'
import { type Jobs, startJobs } from './jobs.ts'
import { readList } from './lists.ts'
import { listsOf, merchantKey } from './resources.ts'
import type { SyncSource } from './source.ts'

/** After a run that the API did not answer, its organisation is left alone for so long by this instance. */
const failedPauseMs = 30_000

/** The background work: it keeps the store equal to the API. Several instances share it through the database. */
export type Sync = {
  /** Looks at once for what is due or wanted, instead of at the next beat. */
  readonly beat: () => Promise<void>
  /** Somebody wants a reading of this organisation now. */
  readonly ask: (organisation: Organisation, resource: Resource) => Promise<void>
  /** Its keys are others now: what failed with the old ones is tried again at the next beat. */
  readonly keysChanged: (organisation: Organisation) => Promise<void>
  readonly counts: Jobs['counts']
  /** How many jobs this instance is working on. */
  readonly running: () => number
  /** Ends what is under way; what was read and not written is read again. */
  readonly stop: () => Promise<void>
}

/**
 * Starts reading every organisation: what is due is found every few seconds, sent to the job queue, and read by
 * whichever instance takes it. Organisations may come and go meanwhile: a new one is seen at the next beat, and what is
 * under way for one that has gone ends at once.
 */
export const startSync = async (source: SyncSource, organisations: Organisations): Promise<Sync> => {
  const { database, settings, logger } = source
  const stopping = new AbortController()
  const { signal } = stopping
  const tidy = createTidying(database)
  const pausedUntil = new Map<string, number>()

  const expected = new Set<string>()
  /** Notes what there is to read of organisations that were not there before. */
  const expectNew = async (): Promise<void> => {
    const all = organisations.current()
    const unseen = [...all].filter(([key]) => !expected.has(key))
    // A thousand organisations do not knock at once: those never seen before begin within a minute.
    const spreadSeconds = Math.min(60, Math.floor(unseen.length / 20))
    for (const [key, organisation] of unseen) {
      for (const resource of listsOf(organisation))
        await expectReadings(database.kysely, organisation, resource, [''], spreadSeconds)
      if (organisation.kind === 'merchant')
        await expectReadings(
          database.kysely,
          organisation,
          'merchant',
          [merchantKey(organisation)],
          spreadSeconds,
        )
      expected.add(key)
    }
    for (const key of expected) if (!all.has(key)) expected.delete(key)
  }
  await expectNew()

  let running = 0
  /** Does a job of an organisation that is still configured; whatever it ends with after that is nobody's fault. */
  const doJob = async (
    key: string,
    work: (organisation: Organisation, ending: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const organisation = organisations.current().get(key)
    if (!organisation || signal.aborted) return
    const presence = organisations.presence(key)
    running += 1
    try {
      await work(organisation, AbortSignal.any([signal, presence]))
    } catch (error) {
      if (!presence.aborted) throw error
    } finally {
      running -= 1
    }
  }
  const jobs = await startJobs(database, logger, {
    list: async ({ organisation: key, resource }) =>
      doJob(key, async (organisation, ending) => {
        if (!(await isListDue(database.kysely, organisation, resource))) return
        const sendDetails = async () => jobs.sendDetails({ organisation: key })
        await readList(source, tidy, organisation, resource, ending, sendDetails)
        await sendDetails()
      }),
    details: async ({ organisation: key }) =>
      doJob(key, async (organisation, ending) => {
        const end = await readDetails(source, tidy, organisation, ending)
        if (end === 'failed') pausedUntil.set(key, performance.now() + failedPauseMs)
        if (end === 'more' && !ending.aborted) await jobs.sendDetails({ organisation: key })
      }),
  })

  const ask = async (organisation: Organisation, resource: Resource): Promise<void> => {
    const key = organisationKey(organisation)
    const list = listResources.find((name) => name === resource)
    await (list
      ? jobs.sendList({ organisation: key, resource: list })
      : jobs.sendDetails({ organisation: key }))
  }
  const beat = async (): Promise<void> => {
    if (signal.aborted) return
    await expectNew()
    const due = await dueOrganisations(database.kysely, [...organisations.current().keys()])
    for (const job of due.lists) await jobs.sendList(job)
    for (const { organisation, wanted } of due.details) {
      if (wanted || (pausedUntil.get(organisation) ?? 0) < performance.now())
        await jobs.sendDetails({ organisation })
    }
  }
  const keysChanged = async (organisation: Organisation): Promise<void> => {
    pausedUntil.delete(organisationKey(organisation))
    await makeDue(database.kysely, organisation, { listsOnly: true })
  }
  const beats = (async () => {
    while (!signal.aborted) {
      await beat().catch((error: unknown) => {
        if (!signal.aborted && !(error instanceof DatabaseUnavailableError))
          logger.error({ err: error }, 'looking for what is due failed')
      })
      const interval = settings.beatSeconds * 1000 * (0.9 + Math.random() / 5)
      await sleep(interval, undefined, { signal }).catch(() => {})
    }
  })()

  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopping.abort()
    await beats
    await jobs.stop()
  }
  return {
    beat,
    ask,
    keysChanged,
    counts: jobs.counts,
    running: () => running,
    stop: () => (stopped ??= stop()),
  }
}
