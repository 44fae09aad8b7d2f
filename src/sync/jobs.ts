import { sql } from 'kysely'
import { PgBoss } from 'pg-boss'
import type { Logger } from '../logger.ts'
import type { Database } from '../store/database.ts'
import type { ListResource } from '../store/readings.ts'
import { countJobs, type JobCounts, jobSchemaOf } from './job-counts.ts'

/** A list of an organisation to read, or its details; organisations by organisationKey(). */
export type ListJob = { readonly organisation: string; readonly resource: ListResource }
export type DetailsJob = { readonly organisation: string }

/** The two queues of the sync. A job that is queued or active already is not sent twice. */
export type Jobs = {
  readonly sendList: (job: ListJob) => Promise<void>
  readonly sendDetails: (job: DetailsJob) => Promise<void>
  /** How many jobs wait and how many are under way, on all instances. */
  readonly counts: () => Promise<JobCounts>
  /** Takes no more jobs, and waits for those under way for at most 10 s. */
  readonly stop: () => Promise<void>
}

const queues = ['lists', 'details'] as const
type Queue = (typeof queues)[number]

/** Workers of one instance. They mostly wait for the API, whose limits are kept elsewhere. */
const workers: Readonly<Record<Queue, number>> = { lists: 4, details: 6 }

/**
 * A job of an instance that was killed is taken up by another when it has not been heard of for so long; and the
 * health of all is looked at this often.
 */
const heartbeatSeconds = 15
const monitorSeconds = 10
const stopMs = 10_000

/** The queue makes its tables itself, and two instances that start together must not do so at once. */
const inTurn = async (database: Database, work: () => Promise<void>): Promise<void> => {
  return database.kysely.connection().execute(async (session) => {
    await sql`select pg_advisory_lock(hashtext(current_schema() || ' jobs'))`.execute(session)
    try {
      await work()
    } finally {
      await sql`select pg_advisory_unlock(hashtext(current_schema() || ' jobs'))`.execute(session)
    }
  })
}

/**
 * Work across instances: pg-boss on the portal's own database. Its `stately` queues let one job a key wait and one
 * run, whatever the number of instances.
 * @param handlers reject only for what is a fault of ours; the job is then tried again
 */
export const startJobs = async (
  database: Database,
  logger: Logger,
  handlers: {
    readonly list: (job: ListJob) => Promise<void>
    readonly details: (job: DetailsJob) => Promise<void>
  },
): Promise<Jobs> => {
  const boss = new PgBoss({
    db: { executeSql: async (text, values) => database.pool.query(text, values ?? []) },
    schema: await jobSchemaOf(database),
    schedule: false,
    registerInstance: false,
    monitorVacuum: false,
    superviseIntervalSeconds: monitorSeconds,
    monitorIntervalSeconds: monitorSeconds,
    openTelemetry: { enabled: false },
  })
  boss.on('error', (error) => logger.warn({ err: error }, 'the job queue failed'))
  boss.on('warning', ({ message }) => logger.debug({ message }, 'the job queue warns'))
  const begin = async (): Promise<void> => {
    await boss.start()
    for (const queue of queues) {
      await boss.createQueue(queue, {
        policy: 'stately',
        heartbeatSeconds,
        retryLimit: 3,
        retryDelay: 1,
        deleteAfterSeconds: 60,
      })
    }
  }
  await inTurn(database, begin)
  const workerIds: Record<Queue, string[]> = { lists: [], details: [] }
  const wake = (queue: Queue): void => {
    for (const id of workerIds[queue]) boss.notifyWorker(id)
  }
  const work = async (queue: Queue, handler: (job: object) => Promise<void>): Promise<void> => {
    for (let worker = 0; worker < workers[queue]; worker += 1) {
      const id = await boss.work<object>(queue, { pollingIntervalSeconds: 2 }, async ([job]) => {
        try {
          if (job) await handler(job.data)
        } catch (error) {
          // The queue keeps why, but nobody looks there.
          logger.error({ err: error, queue, job: job?.data }, 'a job failed')
          throw error
        }
        // Another may be waiting, and the next poll is some way off.
        setImmediate(() => boss.notifyWorker(id))
      })
      workerIds[queue].push(id)
    }
  }
  await work('lists', async (job) => handlers.list(job as ListJob))
  await work('details', async (job) => handlers.details(job as DetailsJob))

  const send = async (queue: Queue, data: object, singletonKey: string): Promise<void> => {
    await boss.send(queue, data, { singletonKey })
    wake(queue)
  }
  return {
    sendList: async (job) => send('lists', job, `${job.organisation} ${job.resource}`),
    sendDetails: async (job) => send('details', job, job.organisation),
    counts: async () => countJobs(database),
    stop: async () => {
      await boss.stop({ graceful: true, timeout: stopMs, close: false })
    },
  }
}
