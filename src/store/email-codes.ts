import { sql } from 'kysely'
import type { Handle } from './database.ts'

/** How long a code can be typed, by the database's clock. */
export const codeMinutes = 10
/** How often one can be typed wrong; after the last of these it is worth nothing, right or wrong. */
export const codeTries = 5
/** Mails with codes in any hour: for one user, and to one address whoever asks. */
export const mailsAnHour = { user: 5, address: 3 } as const

const valid = sql<boolean>`sent_at > now() - make_interval(mins => ${codeMinutes})`

/** The code that a user was sent last. `state` says whether it can still be typed. */
export type SentCode = {
  readonly email: string
  readonly triesLeft: number
  readonly state: 'valid' | 'expired' | 'used up'
}

/** `mailId` is for forgetMail(); a refusal says how long to wait. */
export type Reservation = { readonly mailId: string } | { readonly retryAfterSeconds: number }

/**
 * Counts one mail before it is sent, unless the hour's mails are used up. The user and the address are held meanwhile
 * (in this order, always), so that requests at the same time, on whatever instance, cannot pass the limits together.
 */
export function reserveMail(
  db: Handle,
  mail: { readonly userId: string; readonly addressMac: string },
): Promise<Reservation> {
  return db.transaction().execute(async (transaction) => {
    const { userId, addressMac } = mail
    for (const held of [`code mails of ${userId}`, `code mails to ${addressMac}`])
      await sql`select pg_advisory_xact_lock(hashtextextended(${held}, 0))`.execute(transaction)
    const waits = [
      await waitOf(transaction, 'user_id', userId, mailsAnHour.user),
      await waitOf(transaction, 'address_mac', addressMac, mailsAnHour.address),
    ].filter((wait) => wait !== null)
    if (waits.length > 0) return { retryAfterSeconds: Math.max(...waits) }
    // Skipping what another request deletes: two that wait for each other would both fail.
    await sql`
      delete from code_mails where id in (
        select id from code_mails where at < now() - interval '1 hour' for update skip locked
      )`.execute(transaction)
    const { id } = await transaction
      .insertInto('code_mails')
      .values({ user_id: userId, address_mac: addressMac })
      .returning('id')
      .executeTakeFirstOrThrow()
    return { mailId: id }
  })
}

/** How many seconds until one more mail is allowed, if so many may be sent in an hour; null when it is now. */
async function waitOf(
  db: Handle,
  column: 'user_id' | 'address_mac',
  value: string,
  most: number,
): Promise<number | null> {
  const row = await db
    .selectFrom('code_mails')
    .select(sql<number>`ceil(extract(epoch from at + interval '1 hour' - now()))::int`.as('seconds'))
    .where(column, '=', value)
    .where('at', '>', sql<Date>`now() - interval '1 hour'`)
    .orderBy('at', 'desc')
    .offset(most - 1)
    .limit(1)
    .executeTakeFirst()
  return row ? Math.max(1, row.seconds) : null
}

/** Takes a reservation back: the mail was not sent, and that was not the user's doing. */
export async function forgetMail(db: Handle, mailId: string): Promise<void> {
  await db.deleteFrom('code_mails').where('id', '=', mailId).execute()
}

/** Keeps a code that was sent just now; the one before is worth nothing from here on. */
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

/** The code that the user was sent last, and has not used. */
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
 * Takes one of the user's tries before anything is compared, so that guesses at the same time get no more than there
 * are. @returns what to compare with, or undefined when there is no code that can be typed
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

/** Uses the code up. @returns false when it was used already, or another was sent meanwhile */
export async function burnCode(
  db: Handle,
  code: { readonly userId: string; readonly codeMac: string },
): Promise<boolean> {
  const burn = db.deleteFrom('email_codes').where('user_id', '=', code.userId)
  const burnt = await burn.where('code_mac', '=', code.codeMac).executeTakeFirst()
  return burnt.numDeletedRows === 1n
}
