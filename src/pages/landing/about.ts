import type { Request, Response } from 'express'
import { organisationKey } from '../../domain/organisation.ts'
import type { CurrentVisit } from '../../store/visits.ts'
import { seesDevelopers } from '../history.ts'
import { nearEnd } from '../account/no-access.ts'
import { actingAs, signedIn } from '../request-state.ts'

/** What Home says of the portal and of the user's access. */
export type About = {
  /** The welcome is open for the first visits; then it is behind "About this portal". */
  readonly isWelcome: boolean
  readonly lead: string
  /** The last day of the user's access when it is near, else ''. */
  readonly accessEnds: string
}

const welcomeVisits = 3

/** The words of Home about the portal itself. */
export function aboutOf(req: Request, res: Response, { number }: CurrentVisit): About {
  const organisation = actingAs(res)
  const { t } = res.locals.language
  const lead = `landing.${organisation.kind}Lead${seesDevelopers(res) ? '' : 'Viewer'}`
  const grant = signedIn(req).grants.get(organisationKey(organisation))
  return {
    isWelcome: number <= welcomeVisits,
    lead: t(lead, { organisation: organisation.name }),
    accessEnds: nearEnd(grant?.until ?? null, res),
  }
}
