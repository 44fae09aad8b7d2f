import { type RawBuilder, sql } from 'kysely'
import type { DigestPeriod, DigestTopic } from '../domain/notices.ts'
import type { Handle } from './database.ts'
import { comesCloseToExpiry, type NoticeRange, noticeTopicsIn } from './notice-content.ts'
import { lastChange, nextDigest } from './notice-settings.ts'

/** A moment as SQL: `now()`, the database's, or a given one. */
export type Moment = RawBuilder<Date>

/** A notice to send, to a user or to a channel; `tries` counts this one. */
export type Notice = NoticeRange & {
  readonly id: string
  readonly organisation: string
  readonly userId: string | null
  readonly channelId: string | null
  readonly kind: DigestPeriod | 'events'
  readonly tries: number
}

/** How many days before the expiry of its link an order is announced. */
export const expiryDays: Readonly<Record<Notice['kind'], number>> = { events: 3, daily: 3, weekly: 7 }

/** The most mails about events that a user gets in an hour; what happens meanwhile is in the next one. */
const mostAnHour = 6

/** Both queueing and claiming take this lock, so that instances take turns. It ends with the transaction. */
const lock = sql`pg_advisory_xact_lock(hashtext(current_schema() || ' notices'))`

/**
 * Queues the digests that are due and the notices of events since the last time, each once, however many instances do
 * it: what was queued is marked in the same transaction.
 * @param zones the time zone of each organisation, by organisationKey(); others are left out
 */
export async function queueNotices(db: Handle, zones: ReadonlyMap<string, string>, now: Moment): Promise<void> {
  const organisations = [...zones.keys()]
  await db.transaction().execute(async (trx) => {
    await sql`select ${lock}`.execute(trx)
    await queueDigests(trx, organisations, [...zones.values()], now)
    for (const { organisation, ...range } of await newsOf(trx, organisations, now)) {
      const topics = await noticeTopicsIn(trx, organisation, range, expiryDays.events)
      if (topics.length > 0) await queueEvents(trx, organisation, range, topics, now)
      await trx
        .updateTable('notice_marks')
        .set({ change: range.untilChange, at: range.untilAt })
        .where('organisation', '=', organisation)
        .execute()
    }
  })
}

async function queueDigests(
  trx: Handle,
  organisations: readonly string[],
  timeZones: readonly string[],
  now: Moment,
): Promise<void> {
  await sql`
    with due as (
      select s.user_id, s.organisation, s.digest, s.digest_change, s.digest_from, z.zone,
        ${lastChange(sql`s.organisation`)} as last_change
      from notice_settings s
        join unnest(${organisations}::text[], ${timeZones}::text[]) as z (organisation, zone) using (organisation)
      where s.digest_due_at <= ${now}),
    queued as (
      insert into notices
        (organisation, user_id, kind, after_change, until_change, after_at, until_at, due_at)
      select organisation, user_id, digest, digest_change, last_change, digest_from, ${now}, ${now} from due)
    update notice_settings s set digest_change = due.last_change, digest_from = ${now},
      digest_due_at = ${nextDigest(sql`due.digest`, sql`due.zone`, now)}
    from due where s.user_id = due.user_id and s.organisation = due.organisation`.execute(trx)
}

/** The organisations with changes or expiring orders since their mark. */
async function newsOf(
  trx: Handle,
  organisations: readonly string[],
  now: Moment,
): Promise<(NoticeRange & { readonly organisation: string })[]> {
  const { rows } = await sql<NoticeRange & { organisation: string }>`
    select m.organisation, m.change as "afterChange", coalesce(c.last, m.change) as "untilChange",
      m.at as "afterAt", ${now} as "untilAt"
    from notice_marks m
      cross join lateral (select max(id) as last from changes
        where changes.organisation = m.organisation and id > m.change) c
    where m.organisation = any(${organisations}) and (c.last is not null or exists (
      select from product_orders r where r.organisation = m.organisation
        and ${comesCloseToExpiry(sql`m.at`, now, expiryDays.events)}))`.execute(trx)
  return rows
}

/** Adds the range to what already waits for a user or channel, or queues a notice. */
async function queueEvents(
  trx: Handle,
  organisation: string,
  { afterChange, untilChange, afterAt, untilAt }: NoticeRange,
  topics: readonly DigestTopic[],
  now: Moment,
): Promise<void> {
  await sql`
    with told as (
      select user_id, null::uuid as channel_id from notice_settings
      where organisation = ${organisation} and events && ${topics}::text[]
      union all
      select null, id from notice_channels where organisation = ${organisation} and events && ${topics}::text[]),
    extended as (
      update notices n set until_change = ${untilChange}::bigint, until_at = ${untilAt} from told
      where n.organisation = ${organisation} and n.kind = 'events'
        and n.sent_at is null and n.failed_at is null and n.claimed_until is null
        and (n.user_id = told.user_id or n.channel_id = told.channel_id)
      returning n.user_id, n.channel_id)
    insert into notices
      (organisation, user_id, channel_id, kind, after_change, until_change, after_at, until_at, due_at)
    select ${organisation}, user_id, channel_id, 'events', ${afterChange}::bigint, ${untilChange}::bigint,
      ${afterAt}::timestamptz, ${untilAt}::timestamptz, ${now}
    from told where not exists (
      select from extended e where e.user_id = told.user_id or e.channel_id = told.channel_id)`.execute(trx)
}

/** How long an instance may take to send what it has claimed; after a crash, another one sends it then. */
const claimMinutes = 10
const claimedAtOnce = 20

/** Claims notices that are due for this instance, the oldest first, within the limit of mails an hour. */
export async function claimNotices(db: Handle, organisations: readonly string[], now: Moment): Promise<Notice[]> {
  return db.transaction().execute(async (trx) => {
    await sql`select ${lock}`.execute(trx)
    const { rows } = await sql<Notice>`
      with waiting as (
        select id, row_number() over (partition by user_id, kind order by id) + (
          select count(*) from notices sent where sent.user_id = n.user_id and sent.kind = 'events'
            and (sent.sent_at > ${now} - interval '1 hour' or sent.claimed_until > ${now})) as in_hour,
          user_id is not null and kind = 'events' as is_limited
        from notices n
        where sent_at is null and failed_at is null and due_at <= ${now}
          and (claimed_until is null or claimed_until <= ${now}) and organisation = any(${organisations})),
      claimed as (
        select id from waiting where not is_limited or in_hour <= ${mostAnHour} order by id limit ${claimedAtOnce})
      update notices n set claimed_until = ${now} + ${claimMinutes}::int * interval '1 minute', tries = tries + 1
      from claimed where n.id = claimed.id
      returning n.id, organisation, user_id as "userId", channel_id as "channelId", kind, tries,
        after_change as "afterChange", until_change as "untilChange", after_at as "afterAt", until_at as "untilAt"
    `.execute(trx)
    return rows
  })
}

/**
 * What became of a claimed notice. `dropped`: there was nothing to tell, or nobody who may be told. `released`: it was
 * not tried.
 */
export type NoticeOutcome = 'sent' | 'dropped' | 'failed' | 'released' | { readonly retryMinutes: number }

/** Writes the outcome of a claimed notice. */
export async function noteNotice(db: Handle, id: string, outcome: NoticeOutcome, now: Moment): Promise<void> {
  if (outcome === 'dropped') return void (await db.deleteFrom('notices').where('id', '=', id).execute())
  const change =
    outcome === 'sent'
      ? sql`sent_at = ${now}`
      : outcome === 'failed'
        ? sql`failed_at = ${now}`
        : outcome === 'released'
          ? sql`tries = tries - 1`
          : sql`due_at = ${now} + ${outcome.retryMinutes}::int * interval '1 minute'`
  await sql`update notices set claimed_until = null, ${change} where id = ${id}::bigint`.execute(db)
}

/** How many notices of these organisations wait, are being retried, and were given up and not swept yet. */
export async function countNotices(
  db: Handle,
  organisations: readonly string[],
): Promise<{ readonly waiting: number; readonly retried: number; readonly failed: number }> {
  const { rows } = await sql<{ waiting: number; retried: number; failed: number }>`
    select count(*) filter (where failed_at is null)::int as waiting,
      count(*) filter (where failed_at is null and tries > 0)::int as retried,
      count(failed_at)::int as failed
    from notices where sent_at is null and organisation = any(${organisations})`.execute(db)
  return rows[0] ?? { waiting: 0, retried: 0, failed: 0 }
}

/** Deletes notices that were sent or given up more than 30 days ago. @returns how many */
export async function deleteOldNotices(db: Handle): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from notices where coalesce(sent_at, failed_at) < now() - interval '30 days'`.execute(db)
  return Number(numAffectedRows)
}
