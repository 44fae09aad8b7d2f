import type { Request, Response } from 'express'
import { organisationKey } from '../../domain/organisation.ts'
import type { CurrentVisit } from '../../store/visits.ts'
import type { PageDeps } from '../deps.ts'
import { seesDevelopers } from '../history.ts'
import { actingAs, signedIn } from '../request-state.ts'

/** What Home says of the portal and of the user's access. */
export type About = {
  /** The welcome is open for the first visits; then it is behind "About this portal". */
  readonly isWelcome: boolean
  readonly lead: string
  readonly feedbackUrl: string | undefined
  readonly supportText: string | undefined
  /** That the user's access ends soon, in words; '' while it does not. */
  readonly accessEnds: string
}

const welcomeVisits = 3
/** Access that ends within so many days is announced. */
const soonDays = 14

/** The words of Home about the portal itself. */
export function aboutOf(
  req: Request,
  res: Response,
  { feedbackUrl, supportText }: Pick<PageDeps['config'], 'feedbackUrl' | 'supportText'>,
  { number }: CurrentVisit,
): About {
  const organisation = actingAs(res)
  const { t } = res.locals.language
  const lead = `landing.${organisation.kind}Lead${seesDevelopers(res) ? '' : 'Viewer'}`
  const grant = signedIn(req).grants.get(organisationKey(organisation))
  return {
    isWelcome: number <= welcomeVisits,
    lead: t(lead, { organisation: organisation.name }),
    feedbackUrl,
    supportText,
    accessEnds: accessEndText(grant?.until ?? null, res),
  }
}

/** That an access ends soon, in words; '' when it does not. @param until the last day, such as 2026-12-05 */
export function accessEndText(until: string | null, { locals: { language } }: Response): string {
  if (until === null) return ''
  const { t, format } = language
  const days = format.daysTo(new Date(`${until}T12:00Z`))
  return days > soonDays ? '' : t('landing.accessEnds', { days: format.inDays(days), date: format.date(until) })
}
