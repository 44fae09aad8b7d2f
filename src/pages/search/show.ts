import type { RequestHandler } from 'express'
import { z } from 'zod'
import { covers } from '../../domain/role.ts'
import type { ListResource } from '../../store/sync-state.ts'
import { highlighter } from '../../presentation/highlight.ts'
import { actingAs, listsHere } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { optionalList } from '../landing/partner.ts'
import { parseQuery, searchText } from '../lists/query.ts'
import { exactPath } from './exact.ts'
import { searchGroups } from './groups.ts'
import { recentlyViewed } from './recent.ts'

const query = z.object({ q: searchText })

/**
 * `GET …/search?q=`: the organisation's records that contain `q`, by kind. An exact id redirects to its
 * page. While the user types into the bar, htmx asks for the first matches only.
 */
export function showSearch({
  database: { pages: db },
  freshness,
}: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const { q } = parseQuery(query, req)
    const organisation = actingAs(res)
    const { language, role } = res.locals
    const seesDevelopers = role !== undefined && covers(role, 'developer')
    const resources: readonly ListResource[] = [
      'salesUnits',
      ...(organisation.kind === 'partner' ? (['productOrders', 'templates', 'pricePackages'] as const) : []),
      ...(seesDevelopers ? (['webhooks'] as const) : []),
    ]
    const lists = await Promise.all(
      resources.map(async (resource) => ({
        resource,
        fresh: await optionalList(freshness, organisation, resource, listsHere(res)),
      })),
    )
    const groups = q === '' ? [] : await searchGroups({ db, organisation, q, language }, seesDevelopers)
    if (req.get('HX-Target') === 'div#suggestions') {
      res.render('search/suggestions', { q, groups, recent: recentlyViewed(req), mark: highlighter(q) })
      return
    }
    const exact = q === '' ? undefined : await exactPath(db, organisation, q, groups)
    if (exact !== undefined) {
      res.redirect(302, `${req.baseUrl}/${exact}`)
      return
    }
    res.render('search/results', {
      title: q === '' ? language.t('search.title') : language.t('search.titleOf', { q }),
      lead: language.t(
        `search.lead${organisation.kind === 'partner' ? '' : 'Merchant'}${seesDevelopers ? '' : 'Viewer'}`,
      ),
      q,
      groups,
      resources,
      mark: highlighter(q),
      // These lists have not been read, so matches may be missing.
      unread: lists
        .filter(({ fresh }) => fresh === undefined || (fresh.available && fresh.total === null))
        .map(({ resource }) => resource),
    })
  }
}
