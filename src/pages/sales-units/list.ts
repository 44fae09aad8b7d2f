import type { RequestHandler } from 'express'
import { salesUnit } from '../../management-api/sales-units.ts'
import type { Language } from '../../http/language.ts'
import type { Organisation } from '../../organisation.ts'
import { findSalesUnits, type StoredSalesUnit } from '../../store/sales-units.ts'
import type { Lists } from '../../sync/looking.ts'
import { actingAs, listsHere } from '../acting-as.ts'
import { marketField } from '../choices-of.ts'
import type { PageDeps } from '../deps.ts'
import { type Field, listView } from '../lists.ts'
import { checkPage } from '../query.ts'
import { captureTypes, salesUnitColumns, salesUnitQuery, switches } from './query.ts'

/** How many sales units there are, if the list has been read. */
export const salesUnitCount = (lists: Lists): number | undefined =>
  lists.get('salesUnits')?.total ?? undefined

/** One line of the list. What only the details carry is undefined until they have been read. */
const rowOf = ({ msn, name, merchantName, firstSeenAt, details, isMerchantRead }: StoredSalesUnit) => ({
  msn,
  name,
  merchantName,
  firstSeenAt,
  details: details ? salesUnit.parse(details) : undefined,
  // What is missing of a row that has been read in full is not shared.
  isRead: details !== null && isMerchantRead,
})

/** What has never been read of the rows on the screen is read before all the others. */
const lookAtUnread = (
  looking: PageDeps['looking'],
  organisation: Organisation,
  rows: readonly StoredSalesUnit[],
): void => {
  const unread = rows.filter(({ details }) => details === null)
  const merchants = rows.flatMap(({ details, isMerchantRead }) => {
    if (!details || isMerchantRead) return []
    const { scheme, id } = salesUnit.parse(details).businessIdentifier
    return [`${scheme}/${id}`]
  })
  looking.unread(
    organisation,
    'salesUnit',
    unread.map(({ msn }) => msn),
  )
  looking.unread(organisation, 'merchant', [...new Set(merchants)])
}

const fieldsOf = (language: Language): readonly Field[] => {
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

/** `GET …/sales-units`: what the organisation sells through. */
export const listSalesUnits =
  ({ database, looking }: Pick<PageDeps, 'database' | 'looking'>): RequestHandler =>
  async (req, res) => {
    const { filter, asked } = salesUnitQuery(req)
    const organisation = actingAs(res)
    const fresh = await looking.list(organisation, 'salesUnits', listsHere(res))
    const total = fresh.total ?? undefined
    const page = await findSalesUnits(database.kysely, organisation, filter, { ...asked, total })
    checkPage(page)
    lookAtUnread(looking, organisation, page.rows)
    const { language } = res.locals
    const path = `${req.baseUrl}${req.path}`
    res.render('sales-units/list', {
      title: language.t('salesUnits.title'),
      page: { ...page, rows: page.rows.map(rowOf) },
      fresh,
      list: listView({ path, filter, asked, columns: salesUnitColumns, fields: fieldsOf(language), page }),
    })
  }
