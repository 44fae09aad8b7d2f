import type { Response } from 'express'
import type { CurrentVisit } from '../../store/visits.ts'
import type { PageDeps } from '../deps.ts'
import { seesDevelopers } from '../history.ts'
import { actingAs } from '../request-state.ts'

/** What Home says of the portal. */
export type About = {
  /** The welcome is open for the first visits; then it is behind "About this portal". */
  readonly isWelcome: boolean
  readonly lead: string
  readonly feedbackUrl: string | undefined
  readonly supportText: string | undefined
}

const welcomeVisits = 3

/** The words of Home about the portal itself. */
export function aboutOf(
  res: Response,
  { feedbackUrl, supportText }: Pick<PageDeps['config'], 'feedbackUrl' | 'supportText'>,
  { number }: CurrentVisit,
): About {
  const organisation = actingAs(res)
  const { t } = res.locals.language
  const lead = `landing.${organisation.kind}Lead${seesDevelopers(res) ? '' : 'Viewer'}`
  return {
    isWelcome: number <= welcomeVisits,
    lead: t(lead, { organisation: organisation.name }),
    feedbackUrl,
    supportText,
  }
}
