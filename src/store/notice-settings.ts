import { type RawBuilder, sql } from 'kysely'
import type { DigestPeriod, NoticeEvent } from '../domain/notices.ts'
import { type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { Role } from '../domain/role.ts'
import type { Handle } from './database.ts'
import { isInForce } from './grants.ts'

/** What a user wants to be told about an organisation. */
export type NoticeChoice = { readonly digest: DigestPeriod | null; readonly events: readonly NoticeEvent[] }

/** The choices of a user by organisationKey(); what is not among them is off. */
export async function noticeChoicesOf(db: Handle, userId: string): Promise<Map<string, NoticeChoice>> {
  const rows = await db
    .selectFrom('notice_settings')
    .select(['organisation', 'digest', 'events'])
    .where('user_id', '=', userId)
    .execute()
  return new Map(rows.map(({ organisation, ...choice }) => [organisation, choice]))
}

/**
 * Stores what a user wants to be told about an organisation, and the language of all their notices. The first digest
 * tells of what happens from now on; another period keeps the beginning of the next digest.
 * @param options.timeZone in which the digest comes at seven
 */
export async function saveNoticeChoice(
  db: Handle,
  organisation: OrganisationReference,
  userId: string,
  choice: NoticeChoice,
  { language, timeZone, now }: { readonly language: string; readonly timeZone: string; readonly now: RawBuilder<Date> },
): Promise<void> {
  const key = organisationKey(organisation)
  const { digest, events } = choice
  if (digest === null && events.length === 0) return void (await stopNotices(db, key, userId))
  await beginNotices(db, organisation, now)
  await sql`
    insert into notice_settings as s
      (user_id, organisation, language, events, digest, digest_due_at, digest_change, digest_from)
    values (${userId}::uuid, ${key}, ${language}, ${events}, ${digest}::text,
      ${nextDigest(sql`${digest}::text`, sql`${timeZone}::text`, now)}, ${lastChange(sql`${key}`)}, ${now})
    on conflict (user_id, organisation) do update set events = excluded.events, digest = excluded.digest,
      digest_due_at = case when s.digest is not distinct from excluded.digest
        then s.digest_due_at else excluded.digest_due_at end,
      digest_change = case when s.digest is null then excluded.digest_change else s.digest_change end,
      digest_from = case when s.digest is null then excluded.digest_from else s.digest_from end`.execute(db)
  await db.updateTable('notice_settings').set({ language }).where('user_id', '=', userId).execute()
}

/**
 * Turns everything off that a user is told about an organisation. What waits in the queue is not sent either.
 * @param organisation by organisationKey(); it need not be configured
 * @returns whether anything was on
 */
export async function stopNotices(db: Handle, organisation: string, userId: string): Promise<boolean> {
  const stop = db.deleteFrom('notice_settings').where('user_id', '=', userId)
  const stopped = await stop.where('organisation', '=', organisation).executeTakeFirst()
  return stopped.numDeletedRows === 1n
}

/** Events of the organisation are queued from now on, unless they are already. */
export async function beginNotices(
  db: Handle,
  organisation: OrganisationReference,
  now: RawBuilder<Date> = sql`now()`,
): Promise<void> {
  const key = organisationKey(organisation)
  await sql`
    insert into notice_marks (organisation, change, at) values (${key}, ${lastChange(sql`${key}`)}, ${now})
    on conflict do nothing`.execute(db)
}

/** SQL: the id of the organisation's last change; 0 without one. */
export function lastChange(organisation: RawBuilder<unknown>): RawBuilder<string> {
  return sql`coalesce((select max(id) from changes where changes.organisation = ${organisation}), 0)`
}

/** SQL: the next seven o'clock after `now` in a time zone, for a weekly digest on a Monday; null without a digest. */
export function nextDigest(
  digest: RawBuilder<unknown>,
  timeZone: RawBuilder<unknown>,
  now: RawBuilder<Date>,
): RawBuilder<Date | null> {
  const local = sql`(${now} at time zone ${timeZone}) - interval '7 hours'`
  return sql`case ${digest}
    when 'daily' then (date_trunc('day', ${local}) + interval '1 day 7 hours') at time zone ${timeZone}
    when 'weekly' then (date_trunc('week', ${local}) + interval '7 days 7 hours') at time zone ${timeZone} end`
}

/** A user who is told: the verified address, the current role, and the choice. */
export type NoticeRecipient = NoticeChoice & {
  readonly email: string
  readonly role: Role
  readonly language: string
}

/** The recipient as of this moment; undefined when the grant or the choice has ended, or without a verified address. */
export async function findNoticeRecipient(
  db: Handle,
  organisation: OrganisationReference,
  userId: string,
): Promise<NoticeRecipient | undefined> {
  const { rows } = await sql<NoticeRecipient>`
    select users.verified_email as email, grants.role, s.language, s.digest, s.events
    from notice_settings s join users on users.id = s.user_id
      join grants on grants.user_id = s.user_id and grants.organisation = s.organisation
    where s.user_id = ${userId}::uuid and s.organisation = ${organisationKey(organisation)}
      and users.verified_email is not null and ${isInForce}`.execute(db)
  return rows[0]
}
