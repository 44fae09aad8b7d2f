import { userIdOf } from '../src/auth/user-id.ts'
import type { Handle } from '../src/store/database.ts'
import { addGrant, removeGrant } from '../src/store/grants.ts'
import { demoPeople } from './people.ts'

const dayMs = 86_400_000

/** Writes the demo people's grants. @param issuer the demo eID's issuer, on which user IDs depend */
export async function giveDemoGrants(db: Handle, issuer: string): Promise<void> {
  for (const { sub, grants, revoked = [] } of demoPeople) {
    const userId = userIdOf(issuer, sub)
    for (const { organisation, role, days } of grants) {
      const until = days === undefined ? null : dayIn(days)
      await addGrant(db, organisation, userId, { role, until, by: 'demo', reason: 'To try the portal with' })
    }
    for (const organisation of revoked) {
      await addGrant(db, organisation, userId)
      await removeGrant(db, organisation, userId)
    }
  }
}

/** The day in so many days, in UTC. */
function dayIn(days: number): string {
  return new Date(Date.now() + days * dayMs).toISOString().slice(0, 10)
}
