import { sql } from 'kysely'
import type { Logger } from '../logger.ts'
import { type AuditEntry, insertAudit, logAudit, momentOf, type TimedEntry } from './audit.ts'
import type { Database, Handle } from './database.ts'

/** Takes entries of the audit log from pages, which do not wait for them. */
export type AuditBuffer = {
  /**
   * In the log at once, in the table within a second. While the database is away entries are kept, up to a bound, and
   * written when it is back. Those of a process that is killed meanwhile are in the log only.
   * @param onceSince only when the table has none of this event, user and organisation since then
   */
  readonly note: (entry: AuditEntry, onceSince?: Date) => void
  /** Writes all that waits now. Never rejects: what cannot be written goes on waiting. */
  readonly flush: () => Promise<void>
  /** Writes all that waits, and is done. What cannot be written any more is in the log. */
  readonly stop: () => Promise<void>
}

type Waiting = {
  readonly entry: AuditEntry
  readonly notedAt: number
  readonly onceSince: Date | undefined
}

/** Of SQL's own error classes, those that say that a row is wrong: trying again would never help. */
const isWrongRow = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^2[23]/.test(String(error.code))

/** What the database's clock said when this process's said something: it gives every entry its time, in their order. */
type Clock = (notedAt: number) => number

const readClock = async (db: Handle): Promise<Clock> => {
  const { rows } = await sql<{ seconds: number }>`
    select extract(epoch from clock_timestamp())::float8 as seconds`.execute(db)
  const [seconds, here] = [rows[0]?.seconds ?? 0, performance.now()]
  return (notedAt) => seconds - (here - notedAt) / 1000
}

const timed = ({ entry, notedAt }: Waiting, clock: Clock): TimedEntry => ({ ...entry, at: clock(notedAt) })

/** In one statement, so that of two instances that ask at once at most a moment's overlap writes it twice. */
const insertOnce = async (db: Handle, clock: Clock, waiting: Waiting): Promise<void> => {
  const {
    event,
    userId = null,
    organisation = null,
    address = null,
    details = {},
    at,
  } = timed(waiting, clock)
  await sql`
    insert into audit (at, event, user_id, organisation, address, details)
    select ${momentOf(at)}, ${event}::text, ${userId}::uuid,
      ${organisation}::text, ${address}::text, ${JSON.stringify(details)}::jsonb
    where not exists (
      select from audit where user_id = ${userId}::uuid and at >= ${waiting.onceSince ?? null}::timestamptz
        and event = ${event}::text and organisation = ${organisation}::text)`.execute(db)
}

const write = async (db: Handle, clock: Clock, batch: readonly Waiting[]): Promise<void> => {
  // First, as these can be done again: the rest is one statement, all of it or none.
  for (const waiting of batch) if (waiting.onceSince) await insertOnce(db, clock, waiting)
  const plain = batch.filter(({ onceSince }) => !onceSince)
  await insertAudit(
    db,
    plain.map((waiting) => timed(waiting, clock)),
  )
}

/** @param options.mostWaiting entries kept in memory while the database is away; what comes beyond is in the log only */
export const createAuditBuffer = (
  { kysely }: Database,
  logger: Logger,
  options: { readonly flushMs?: number; readonly atOnce?: number; readonly mostWaiting?: number } = {},
): AuditBuffer => {
  const { flushMs = 1000, atOnce = 200, mostWaiting = 20_000 } = options
  const waiting: Waiting[] = []
  let lost = 0
  let isAway = false
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<void> | undefined

  const writeEach = async (clock: Clock, batch: readonly Waiting[]): Promise<void> => {
    for (const one of batch) {
      await write(kysely, clock, [one]).catch((error: unknown) => {
        if (!isWrongRow(error)) throw error
        logger.error({ err: error, event: one.entry.event }, 'an audit entry cannot be written to the table')
      })
    }
  }
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, atOnce)
      const clock = await readClock(kysely)
      await write(kysely, clock, batch).catch(async (error: unknown) => {
        if (!isWrongRow(error)) throw error
        await writeEach(clock, batch)
      })
      waiting.splice(0, batch.length)
    }
    if (isAway || lost > 0) logger.warn({ lost }, 'the audit log is written to the table again')
    ;[isAway, lost] = [false, 0]
  }
  const flush = (): Promise<void> =>
    (flushing ??= writeAll()
      .catch((error: unknown) => {
        if (!isAway) logger.error({ err: error }, 'the audit log cannot be written to the table just now')
        isAway = true
        later()
      })
      .finally(() => {
        flushing = undefined
      }))
  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      void flush()
    }, flushMs).unref()
  }

  return {
    note: (entry, onceSince) => {
      logAudit(logger, [entry])
      if (waiting.length >= mostWaiting) {
        lost += 1
        return
      }
      waiting.push({ entry, notedAt: performance.now(), onceSince })
      if (waiting.length >= atOnce && !isAway) void flush()
      else later()
    },
    flush,
    stop: async () => {
      // One that is under way may have begun before the last entries came.
      await flush()
      if (waiting.length > 0 && !isAway) await flush()
      clearTimeout(timer)
      if (waiting.length + lost > 0)
        logger.error({ lost: waiting.length + lost }, 'audit entries are in the log only: the table was away')
    },
  }
}
