import type { RequestHandler, Response } from 'express'
import { z } from 'zod'
import { type Choice, organisationsOf } from '../../auth/access.ts'
import { identifierText } from '../../domain/business-identifier.ts'
import { type Organisation, organisationKey, organisationPath } from '../../domain/organisation.ts'
import { type Business, businessesOf } from '../../store/businesses.ts'
import { parseQuery, searchText } from '../lists/query.ts'
import { rowsWith } from '../lists/rows-in-memory.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { nearEnd, showNoAccess } from './no-access.ts'

/** An organisation as the page lists it. `until`: the grant's last day in the page's language, or undefined. */
export function choiceOf({ organisation, role, until }: Choice, res: Response) {
  return {
    organisation,
    href: organisationPath(organisation),
    role,
    until: until === null ? undefined : res.locals.language.format.date(until),
  }
}

/** From so many organisations on the page has a field to find one. */
const fewestToFilter = 8

/**
 * `GET /select`: the organisations that the user may act as, those that the user used last first. With exactly one it
 * redirects there, unless the query has `?all`; with none it explains how to get access, that it has ended, or that the
 * portal has no organisation yet.
 */
export function showSelect(deps: Pick<PageDeps, 'organisations' | 'database'>): RequestHandler {
  const { organisations, database } = deps
  return async (req, res) => {
    const user = signedIn(req)
    const { language } = res.locals
    const { t } = language
    const { q } = parseQuery(z.object({ q: searchText }), req)
    const choices = organisationsOf(user, organisations, language)
    const [only, ...others] = choices
    if (!only) return showNoAccess(deps, res)
    if (others.length === 0 && req.query['all'] === undefined) return res.redirect(organisationPath(only.organisation))
    const keys = choices.map(({ organisation }) => organisationKey(organisation))
    const known = await businessesOf(database.pages, keys, user.id)
    const cards = rowsWith(choices, q, ({ organisation }) => textsOf(organisation))
      .map((choice) => ({ choice, business: known.get(organisationKey(choice.organisation)) }))
      .toSorted((a, b) => usedMs(b.business) - usedMs(a.business))
      .map(({ choice, business }) => cardOf(choice, business, res))
    return res.render('account/select', {
      title: t('select.title'),
      q,
      // Where the user is a developer everywhere, saying so on each card tells nothing.
      sayRoles: choices.some(({ role }) => role !== 'developer'),
      hasFilter: choices.length >= fewestToFilter,
      partners: cards.filter(({ organisation }) => organisation.kind === 'partner'),
      merchants: cards.filter(({ organisation }) => organisation.kind === 'merchant'),
    })
  }
}

function textsOf(organisation: Organisation): readonly string[] {
  const { kind, id, name } = organisation
  return kind === 'partner' ? [name, id] : [name, id, identifierText(organisation)]
}

function usedMs(business: Business | undefined): number {
  return business?.usedAt?.getTime() ?? 0
}

/** A card has a line for what there is to say. */
function cardOf(choice: Choice, business: Business | undefined, res: Response) {
  const { t, format } = res.locals.language
  const { salesUnits, waiting = 0, failingSince, usedAt } = business ?? {}
  const isFailing = failingSince !== null && failingSince !== undefined
  return {
    ...choiceOf(choice, res),
    units:
      typeof salesUnits === 'number'
        ? t('salesUnits.count', { count: salesUnits, shown: format.number(salesUnits) })
        : '',
    attention: [
      waiting > 0 ? t('select.waiting', { count: waiting, shown: format.number(waiting) }) : '',
      isFailing ? t('select.failing', { at: format.moment(failingSince) }) : '',
    ].filter(Boolean),
    used: usedAt ? t('select.used', { at: format.recent(usedAt, 'middle') }) : '',
    endsSoon: nearEnd(choice.until, res) !== '',
  }
}
