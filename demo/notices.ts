import { userIdOf } from '../src/auth/user-id.ts'
import { noticeEvents } from '../src/domain/notices.ts'
import type { Database } from '../src/store/database.ts'
import { saveUser, saveVerifiedEmail } from '../src/store/users.ts'
import { demoPeople } from './people.ts'

const organisation = 'partner/12345'

/**
 * Kari has a daily digest and is told of everything at once, as if she had chosen that a week ago: the first pass of
 * the notices mails her a digest of the week and the events of the last days.
 * @param issuer the demo eID's issuer, on which user IDs depend
 */
export async function giveDemoNotices({ kysely, pool }: Database, issuer: string): Promise<void> {
  const kari = demoPeople.find(({ name }) => name === 'Kari Nordmann')
  if (!kari) throw new Error('Kari has left the demo')
  const { sub: subject, name, email } = kari
  const id = userIdOf(issuer, subject)
  await saveUser(kysely, { id, issuer, subject, name, email })
  await saveVerifiedEmail(kysely, id, email)
  const changeBefore = `coalesce((select max(id) from changes where organisation = $1 and at < now() - interval '7 days'), 0)`
  await pool.query(
    `insert into notice_settings
       (user_id, organisation, language, events, digest, digest_due_at, digest_change, digest_from)
     values ($2, $1, 'en', $3, 'daily', now(), ${changeBefore}, now() - interval '7 days')
     on conflict do nothing`,
    [organisation, id, noticeEvents],
  )
  await pool.query(
    `insert into notice_marks (organisation, change, at) values ($1, ${changeBefore}, now() - interval '3 days')
     on conflict do nothing`,
    [organisation],
  )
}
