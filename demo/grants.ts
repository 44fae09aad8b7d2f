import { userIdOf } from '../src/auth/user-id.ts'
import type { Handle } from '../src/store/database.ts'
import { organisationKey } from '../src/domain/organisation.ts'
import { insertAudit } from '../src/store/audit.ts'
import { addGrant, removeGrant } from '../src/store/grants.ts'
import { demoPeople } from './people.ts'

const dayMs = 86_400_000

/**
 * Writes the demo people's grants.
 * @param issuer the demo eID's issuer, on which user IDs depend
 * @param haveVisited they viewed their organisations two days ago
 */
export async function giveDemoGrants(
  db: Handle,
  issuer: string,
  { haveVisited = false }: { readonly haveVisited?: boolean } = {},
): Promise<void> {
  for (const { sub, grants, revoked = [] } of demoPeople) {
    const userId = userIdOf(issuer, sub)
    for (const { organisation, role, days } of grants) {
      const until = days === undefined ? null : dayIn(days)
      await addGrant(db, organisation, userId, { role, until, by: 'demo', reason: 'To try the portal with' })
      const lastSeen = {
        user_id: userId,
        organisation: organisationKey(organisation),
        seen_at: new Date(Date.now() - 2 * dayMs),
      }
      if (haveVisited) await db.insertInto('visits').values(lastSeen).execute()
    }
    for (const organisation of revoked) {
      await addGrant(db, organisation, userId)
      await removeGrant(db, organisation, userId)
      await insertAudit(db, [
        { event: 'revoke', userId, organisation: organisationKey(organisation), details: { by: 'demo' } },
      ])
    }
  }
}

/** The day in so many days, in UTC. */
function dayIn(days: number): string {
  return new Date(Date.now() + days * dayMs).toISOString().slice(0, 10)
}
