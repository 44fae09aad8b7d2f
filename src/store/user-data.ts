import { sql } from 'kysely'
import type { Logger } from '../logger.ts'
import { type AuditEntry, insertAudit, logAudit } from './audit.ts'
import type { Database, Handle } from './database.ts'
import { sweep } from './sweep.ts'

/** How many rows of each kind are stored of a user. */
export type UserRows = {
  /** 1 for a user who has signed in. */
  readonly users: number
  readonly grants: number
  readonly sessions: number
  readonly codes: number
  readonly mails: number
  readonly visits: number
  /** Choices of notices, and the notices of the last 30 days. */
  readonly notices: number
}

/** Counts what `removeUser` would delete. */
export async function countUserRows(db: Handle, userId: string): Promise<UserRows> {
  const { rows } = await sql<UserRows>`
    select (select count(*)::int from users where id = ${userId}::uuid) as users,
      (select count(*)::int from grants where user_id = ${userId}::uuid) as grants,
      (select count(*)::int from sessions where user_id = ${userId}::uuid) as sessions,
      (select count(*)::int from email_codes where user_id = ${userId}::uuid) as codes,
      (select count(*)::int from code_mails where user_id = ${userId}::uuid) as mails,
      (select count(*)::int from visits where user_id = ${userId}::uuid) as visits,
      (select count(*)::int from notice_settings where user_id = ${userId}::uuid)
        + (select count(*)::int from notices where user_id = ${userId}::uuid) as notices`.execute(db)
  return rows[0] ?? { users: 0, grants: 0, sessions: 0, codes: 0, mails: 0, visits: 0, notices: 0 }
}

/**
 * Deletes a user with grants, sessions, codes, visits and notices. The audit log keeps the ID. Call it in a transaction.
 * @returns what was deleted
 */
export async function removeUser(trx: Handle, userId: string): Promise<UserRows> {
  // Sessions, codes and notices refer to this row, so none is added meanwhile.
  await sql`select from users where id = ${userId}::uuid for update`.execute(trx)
  const counted = await countUserRows(trx, userId)
  await deleteUsers(trx, [userId])
  return counted
}

/** Deletes rows of `users`, with which sessions, codes and notices go, and grants and visits. */
async function deleteUsers(trx: Handle, userIds: readonly string[]): Promise<void> {
  await sql`delete from users where id = any(${userIds}::uuid[])`.execute(trx)
  for (const table of ['grants', 'visits'])
    await sql`delete from ${sql.table(table)} where user_id = any(${userIds}::uuid[])`.execute(trx)
}

/**
 * Removes users whose last sign-in is more than `days` ago, each with an audit entry.
 * @returns the number of removed users
 */
export async function removeInactiveUsers(
  database: Pick<Database, 'kysely'>,
  logger: Logger,
  days: number,
): Promise<number> {
  const entries: AuditEntry[] = []
  const removed = await sweep(database, 'inactive users', async (trx, limit) => {
    const { rows } = await sql<{ id: string }>`
      select id from users where last_signed_in_at < now() - make_interval(days => ${days}::int)
      limit ${limit} for update`.execute(trx)
    const ids = rows.map(({ id }) => id)
    const written = ids.map((userId): AuditEntry => ({
      event: 'user removed',
      userId,
      details: { reason: 'inactive', days },
    }))
    await deleteUsers(trx, ids)
    await insertAudit(trx, written)
    entries.push(...written)
    return ids.length
  })
  logAudit(logger, entries)
  return removed
}

/** Everything that is stored of a user, for the person who asks; undefined when nothing is. */
export async function findUserData(db: Handle, userId: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { rows } = await sql<{ data: Readonly<Record<string, unknown>> }>`
    select json_build_object(
      'user', (select row_to_json(users) from users where id = ${userId}::uuid),
      'grants', (select coalesce(json_agg(grants order by organisation), '[]') from grants
        where user_id = ${userId}::uuid),
      'sessions', (select coalesce(json_agg(json_build_object('signed_in_at', signed_in_at,
          'last_used_at', last_used_at, 'ends_at', ends_at, 'device', device, 'address', address,
          'has_id_token', encrypted_id_token is not null) order by signed_in_at), '[]')
        from sessions where user_id = ${userId}::uuid),
      'email_code', (select json_build_object('email', email, 'sent_at', sent_at, 'tries', tries)
        from email_codes where user_id = ${userId}::uuid),
      'mails_sent_at', (select coalesce(json_agg(at order by at), '[]') from code_mails
        where user_id = ${userId}::uuid),
      'visits', (select coalesce(json_agg(visits order by organisation), '[]') from visits
        where user_id = ${userId}::uuid),
      'notice_settings', (select coalesce(json_agg(json_build_object('organisation', organisation,
          'language', language, 'events', events, 'digest', digest) order by organisation), '[]')
        from notice_settings where user_id = ${userId}::uuid),
      'notices_sent_at', (select coalesce(json_agg(sent_at order by sent_at), '[]') from notices
        where user_id = ${userId}::uuid and sent_at is not null),
      'audit_entries', (select count(*)::int from audit where user_id = ${userId}::uuid)) as data`.execute(db)
  const { data } = rows[0] ?? {}
  const isKnown =
    data && (data['user'] !== null || (data['grants'] as unknown[]).length > 0 || data['audit_entries'] !== 0)
  return isKnown ? data : undefined
}
