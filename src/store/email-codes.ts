import { type RawBuilder, sql } from 'kysely'
import type { Handle } from './database.ts'

/** The lifetime of a code in minutes, by the database's clock. */
export const codeMinutes = 10
/** The tries per code; after the last one the code is invalid. */
export const codeTries = 5
/**
 * The limits of mails with codes in any hour.
 * - `user`: one to start with, and four for mails that are slow, lost or went to a misspelt address.
 * - `own`: to the mailbox that the user's eID names. It is counted by user, so that others cannot use it up.
 * - `mailbox`: to any other mailbox, from all users, because its owner has perhaps not asked for a mail.
 * - `domain`: to all such mailboxes of a domain, so that a company's mail server does not take the portal for a sender
 *   of spam. A hundred colleagues can start in one hour.
 * - `all`: to all such mailboxes, which protects the good name of the operator's mail server.
 */
export const mailsAnHour = { user: 5, own: 3, mailbox: 3, domain: 100, all: 500 } as const

const valid = sql<boolean>`sent_at > now() - make_interval(mins => ${codeMinutes})`

/** The code that was last sent to a user. `state` says whether it is still valid. */
export type SentCode = {
  readonly email: string
  readonly triesLeft: number
  readonly state: 'valid' | 'expired' | 'used up'
}

/** `mailId` is for forgetMail(); a refusal has the time to wait. */
export type Reservation = { readonly mailId: string } | { readonly retryAfterSeconds: number }

/** One mail with a code. Mailbox and domain are keyed hashes; `own`: the user's eID names the mailbox. */
export type CodeMail = {
  readonly userId: string
  readonly mailboxMac: string
  readonly domainMac: string
  readonly own: boolean
}

/**
 * Counts one mail before it is sent, unless a limit is reached. Locks what it counts (always in this order), so that
 * concurrent requests on any instance cannot exceed the limits.
 */
export function reserveMail(db: Handle, mail: CodeMail): Promise<Reservation> {
  return db.transaction().execute(async (transaction) => {
    const { userId, mailboxMac, domainMac, own } = mail
    const others = sql<boolean>`not own`
    const counts = [
      { lock: `of ${userId}`, most: mailsAnHour.user, where: sql<boolean>`user_id = ${userId}` },
      ...(own
        ? [{ lock: `of ${userId}`, most: mailsAnHour.own, where: sql<boolean>`user_id = ${userId} and own` }]
        : [
            {
              lock: `to ${mailboxMac}`,
              most: mailsAnHour.mailbox,
              where: sql<boolean>`mailbox_mac = ${mailboxMac} and ${others}`,
            },
            {
              lock: `to ${domainMac}`,
              most: mailsAnHour.domain,
              where: sql<boolean>`domain_mac = ${domainMac} and ${others}`,
            },
            { lock: 'to all', most: mailsAnHour.all, where: others },
          ]),
    ]
    for (const { lock } of counts)
      await sql`select pg_advisory_xact_lock(hashtextextended(${`code mails ${lock}`}, 0))`.execute(transaction)
    const waits = []
    for (const { most, where } of counts) waits.push(await waitOf(transaction, where, most))
    const retryAfterSeconds = Math.max(...waits)
    if (retryAfterSeconds > 0) return { retryAfterSeconds }
    // Skips rows that another request deletes; waiting for each other would deadlock.
    await sql`
      delete from code_mails where id in (
        select id from code_mails where at < now() - interval '1 hour' for update skip locked
      )`.execute(transaction)
    const { id } = await transaction
      .insertInto('code_mails')
      .values({ user_id: userId, mailbox_mac: mailboxMac, domain_mac: domainMac, own })
      .returning('id')
      .executeTakeFirstOrThrow()
    return { mailId: id }
  })
}

/** Seconds until one more mail is allowed by an hourly limit of `most`; 0 when it is allowed now. */
async function waitOf(db: Handle, where: RawBuilder<boolean>, most: number): Promise<number> {
  const row = await db
    .selectFrom('code_mails')
    .select(sql<number>`ceil(extract(epoch from at + interval '1 hour' - now()))::int`.as('seconds'))
    .where(where)
    .where('at', '>', sql<Date>`now() - interval '1 hour'`)
    .orderBy('at', 'desc')
    .offset(most - 1)
    .limit(1)
    .executeTakeFirst()
  return row ? Math.max(1, row.seconds) : 0
}

/** Cancels a reservation, because the mail could not be sent. */
export async function forgetMail(db: Handle, mailId: string): Promise<void> {
  await db.deleteFrom('code_mails').where('id', '=', mailId).execute()
}

/** Stores a code that was just sent; it replaces the previous one. */
export async function saveCode(
  db: Handle,
  code: { readonly userId: string; readonly email: string; readonly codeMac: string },
): Promise<void> {
  const { userId, email, codeMac } = code
  const now = sql<Date>`now()`
  await db
    .insertInto('email_codes')
    .values({ user_id: userId, email, code_mac: codeMac })
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet({ email, code_mac: codeMac, tries: 0, sent_at: now }),
    )
    .execute()
}

/** The code that was last sent to the user and is not used. */
export async function findCode(db: Handle, userId: string): Promise<SentCode | undefined> {
  const row = await db
    .selectFrom('email_codes')
    .select(['email', 'tries', valid.as('valid')])
    .where('user_id', '=', userId)
    .executeTakeFirst()
  if (!row) return undefined
  const triesLeft = Math.max(0, codeTries - row.tries)
  return {
    email: row.email,
    triesLeft,
    state: triesLeft === 0 ? 'used up' : row.valid ? 'valid' : 'expired',
  }
}

/**
 * Counts one try before the comparison, so that concurrent guesses cannot exceed the tries.
 * @returns the values to compare, or undefined when no code is valid
 */
export async function takeTry(
  db: Handle,
  userId: string,
): Promise<{ readonly email: string; readonly codeMac: string; readonly triesLeft: number } | undefined> {
  const row = await db
    .updateTable('email_codes')
    .set({ tries: sql<number>`tries + 1` })
    .where('user_id', '=', userId)
    .where('tries', '<', codeTries)
    .where(valid)
    .returning(['email', 'code_mac', 'tries'])
    .executeTakeFirst()
  return row && { email: row.email, codeMac: row.code_mac, triesLeft: codeTries - row.tries }
}

/** Deletes the used code. @returns false when it was used already, or replaced meanwhile */
export async function burnCode(
  db: Handle,
  code: { readonly userId: string; readonly codeMac: string },
): Promise<boolean> {
  const burn = db.deleteFrom('email_codes').where('user_id', '=', code.userId)
  const burnt = await burn.where('code_mac', '=', code.codeMac).executeTakeFirst()
  return burnt.numDeletedRows === 1n
}

/**
 * Deletes codes and counted mails that are older than an hour. Until then the page can say that a code has expired.
 * @returns the number of codes
 */
export async function deleteOldCodes(db: Handle): Promise<number> {
  const old = sql<boolean>`now() - interval '1 hour'`
  await sql`
    delete from code_mails where id in (
      select id from code_mails where at < ${old} for update skip locked)`.execute(db)
  const { numAffectedRows = 0n } = await sql`delete from email_codes where sent_at < ${old}`.execute(db)
  return Number(numAffectedRows)
}
