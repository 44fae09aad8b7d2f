import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Organisations } from '../domain/organisations.ts'
import { timeZoneOf } from '../domain/time-zone.ts'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Mailer } from '../mail/mailer.ts'
import { loadLanguages } from '../presentation/language.ts'
import { compileViews } from '../presentation/view-engine.ts'
import type { Handle } from '../store/database.ts'
import { claimNotices, type Moment, noteNotice, type NoticeOutcome, queueNotices } from '../store/notice-queue.ts'
import { createDelivery, type Delivery } from './delivery.ts'

/** The background work of one instance that sends notices to users and channels. Instances share it by the queue. */
export type Notices = {
  /**
   * Queues what is due and sends it, until nothing is left that can be sent now.
   * @param at the moment of the pass; by default the database's time
   */
  readonly pass: (at?: Date) => Promise<void>
  /** Stops it; what was claimed and not sent is left to the next pass of any instance. */
  readonly stop: () => Promise<void>
}

/** Dependencies of the notices. */
export type NoticesContext = {
  /** A pool of which the notices use one connection at a time. */
  readonly db: Handle
  readonly organisations: Organisations
  /** Undefined without a mail server: then only channels are told. */
  readonly mailer: Mailer | undefined
  readonly logger: Logger
  readonly settings: {
    readonly portalUrl: string
    readonly sessionSecrets: readonly string[]
    readonly serviceName: string
    /** The domain of the Message-IDs. */
    readonly mailDomain: string
    readonly partnerTimeZone: string
    readonly allowPrivate: boolean
  }
}

/** The interval at which an instance looks for notices that are due. */
const tickMs = 30_000
/** How many notices an instance sends at a time: mail servers mostly make it wait. */
const mostAtOnce = 4
/** After so many failures in a batch without a success, the rest waits for the next pass. */
const mostFailures = 8

const views = fileURLToPath(new URL('../../views', import.meta.url))

/** Starts the notices. @param everyMs the interval of the passes */
export function startNotices(context: NoticesContext, everyMs = tickMs): Notices {
  const { organisations, logger, settings } = context
  const stopping = new AbortController()
  const db = oneAtATime(context.db)
  let loaded: Delivery | undefined
  // Loaded with the first notice, as many instances never have one.
  const deliver: Delivery = async (notice) => {
    loaded ??= createDelivery({
      ...context,
      db,
      languages: loadLanguages(`${views}/locales`, settings.serviceName),
      render: compileViews(views),
    })
    return loaded(notice)
  }

  async function passOnce(at?: Date): Promise<void> {
    const now: Moment = at ? sql<Date>`${at}::timestamptz` : sql<Date>`now()`
    const zones = new Map(
      [...organisations.current()].map(([key, each]) => [key, timeZoneOf(each, settings.partnerTimeZone)]),
    )
    await db((handle) => queueNotices(handle, zones, now))
    while (!stopping.signal.aborted && (await sendSome([...zones.keys()], now)));
  }

  /** Sends one batch. @returns whether to go on */
  async function sendSome(keys: readonly string[], now: Moment): Promise<boolean> {
    const claimed = await db((handle) => claimNotices(handle, keys, now))
    const outcomes: NoticeOutcome[] = []
    const isDown = () => outcomes.length >= mostFailures && outcomes.every((outcome) => typeof outcome === 'object')
    const left = [...claimed]
    const work = async (): Promise<void> => {
      for (let notice = left.shift(); notice; notice = left.shift()) {
        const { id } = notice
        const isOver = stopping.signal.aborted || isDown()
        const outcome = isOver ? 'released' : await deliver(notice)
        if (!isOver) outcomes.push(outcome)
        await db((handle) => noteNotice(handle, id, outcome, now))
      }
    }
    await Promise.all(Array.from({ length: mostAtOnce }, work))
    return claimed.length > 0 && !isDown()
  }

  let running: Promise<void> = Promise.resolve()
  const pass = async (at?: Date): Promise<void> => {
    const next = running.catch(() => {}).then(async () => passOnce(at))
    running = next
    return next
  }

  const ticks = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(everyMs * (0.9 + Math.random() / 5), undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      await pass().catch((error: unknown) => {
        if (!(error instanceof DatabaseUnavailableError)) logger.error({ err: error }, 'notices failed: next try soon')
      })
    }
  })()

  return {
    pass,
    stop: async () => {
      stopping.abort()
      await ticks
      await running.catch(() => {})
    },
  }
}

/** Runs work with the database one after the other, so that it takes one connection of the pool at most. */
export type InTurn = <Result>(work: (db: Handle) => Promise<Result>) => Promise<Result>

function oneAtATime(db: Handle): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return async (work) => {
    const mine = last.catch(() => {}).then(async () => work(db))
    last = mine
    return mine
  }
}
