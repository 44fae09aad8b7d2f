import type { RequestHandler } from 'express'
import type { Language } from '../../presentation/language.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { findSalesUnits, type SalesUnitRow } from '../../store/sales-units.ts'
import type { Lists } from '../../sync/freshness.ts'
import { actingAs, listsHere } from '../request-state.ts'
import { marketField } from '../lists/filter-fields.ts'
import type { PageDeps } from '../deps.ts'
import { type Field, listView } from '../lists/list-view.ts'
import { checkPage } from '../lists/query.ts'
import { captureTypes, salesUnitColumns, salesUnitQuery, switches } from './query.ts'

/** How many sales units there are, if the list has been read. */
export function salesUnitCount(lists: Lists): number | undefined {
  return lists.get('salesUnits')?.total ?? undefined
}

/** `GET …/sales-units`: what the organisation sells through. */
export function listSalesUnits({ database, freshness }: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const { filter, asked } = salesUnitQuery(req)
    const organisation = actingAs(res)
    const fresh = await freshness.list(organisation, 'salesUnits', listsHere(res))
    const total = fresh.total ?? undefined
    const page = await findSalesUnits(database.kysely, organisation, filter, { ...asked, total })
    checkPage(page)
    const rows = page.rows.map(rowOf)
    requestUnread(freshness, organisation, rows)
    const { language } = res.locals
    const path = `${req.baseUrl}${req.path}`
    res.render('sales-units/list', {
      title: language.t('salesUnits.title'),
      page: { ...page, rows },
      fresh,
      list: listView({ path, filter, asked, columns: salesUnitColumns, fields: fieldsOf(language), page }),
    })
  }
}

/** One line of the list. What only the details carry is undefined until they have been read. */
function rowOf({ scheme, businessId, isMerchantRead, ...row }: SalesUnitRow) {
  const identifier = scheme !== null && businessId !== null ? { scheme, id: businessId } : undefined
  // What is missing of a row that has been read in full is not shared.
  return { ...row, identifier, isRead: identifier !== undefined && isMerchantRead }
}

/** What has never been read of the rows on the screen is read before all the others. */
function requestUnread(
  freshness: PageDeps['freshness'],
  organisation: Organisation,
  rows: readonly ReturnType<typeof rowOf>[],
): void {
  const salesUnits = rows.filter(({ identifier }) => !identifier).map(({ msn }) => msn)
  const merchants = rows.flatMap(({ identifier, isRead }) =>
    identifier && !isRead ? [`${identifier.scheme}/${identifier.id}`] : [],
  )
  freshness.requestUnread(organisation, 'salesUnit', salesUnits)
  freshness.requestUnread(organisation, 'merchant', [...new Set(merchants)])
}

function fieldsOf(language: Language): readonly Field[] {
  const { t } = language
  return [
    marketField(language),
    {
      kind: 'one',
      name: 'capture',
      label: t('salesUnits.capture'),
      options: captureTypes.map((value) => ({ value, label: t(`captureTypes.${value}`) })),
    },
    {
      kind: 'many',
      name: 'can',
      label: t('salesUnits.canDo'),
      options: switches.map((value) => ({ value, label: t(`configuration.${value}.name`) })),
    },
  ]
}
