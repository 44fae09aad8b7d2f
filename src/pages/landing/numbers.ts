import type { Response } from 'express'
import type { Handle } from '../../store/database.ts'
import { countMerchants, everyMerchant } from '../../store/merchants.ts'
import { countProductOrders, everyOrder } from '../../store/product-orders.ts'
import { countSalesUnits, everySalesUnit } from '../../store/sales-units.ts'
import { firstSeenAt } from '../../store/summaries.ts'
import { webhookProgress } from '../../store/webhooks.ts'
import type { Freshness } from '../../sync/freshness.ts'
import { seesDevelopers } from '../history.ts'
import { queryOf } from '../lists/list-view.ts'
import { merchantCount } from '../merchants/list.ts'
import { actingAs, listsHere } from '../request-state.ts'
import { changesSince } from './since.ts'

/** A number, or why there is none: not shared, being read, or failed. */
export type Count = {
  readonly key: string
  /** Paths are below the organisation's section. */
  readonly path: string
  readonly value: number | undefined
  readonly missing: 'notShared' | 'beingRead' | 'failed' | undefined
  /** What changed in the last week, with the path of exactly that. '' when the portal has not watched for a week. */
  readonly change: { readonly text: string; readonly path: string | undefined }
}

/** The days in which a record is new. */
const newDays = '7'
const weekMs = Number(newDays) * 86_400_000

/** The freshness of the lists that the numbers are about; undefined for one that could not be read. */
export type CountedLists = Readonly<
  Record<'salesUnits' | 'productOrders' | 'pricePackages' | 'templates' | 'webhooks', Freshness | undefined>
>

/** How many records of each kind a partner has, and what changed in the last week. */
export async function partnerNumbers(db: Handle, res: Response, lists: CountedLists): Promise<readonly Count[]> {
  const changes = await weeksChanges(db, res)
  const { salesUnits, productOrders, pricePackages, templates, webhooks } = lists
  const merchants = salesUnits && { ...salesUnits, total: merchantCount(listsHere(res)) ?? null }
  return [
    countOf('salesUnits', 'sales-units', salesUnits, await newSalesUnits(db, res)),
    countOf('merchants', 'merchants', merchants, await newMerchants(db, res)),
    countOf('productOrders', 'product-orders', productOrders, await newOrders(db, res)),
    countOf('pricePackages', 'price-packages', pricePackages, changes('pricePackage')),
    countOf('templates', 'templates', templates, changes('template')),
    ...(seesDevelopers(res)
      ? [
          countOf(
            'webhooks',
            'developers/webhooks',
            webhooks && { ...webhooks, total: await webhookTotal(db, res, webhooks) },
            changes('webhook'),
          ),
        ]
      : []),
  ]
}

/** Null until all are read: a part would look like all of them. */
async function webhookTotal(db: Handle, res: Response, { total }: Freshness): Promise<number | null> {
  const { unasked } = await webhookProgress(db, actingAs(res))
  return unasked > 0 ? null : total
}

function countOf(key: string, path: string, fresh: Freshness | undefined, change: Count['change']): Count {
  const missing = !fresh ? 'failed' : !fresh.available ? 'notShared' : fresh.total === null ? 'beingRead' : undefined
  const value = missing ? undefined : (fresh?.total ?? undefined)
  return { key, path, value, missing, change: missing ? { text: '', path: undefined } : change }
}

async function newSalesUnits(db: Handle, res: Response): Promise<Count['change']> {
  const found = await countSalesUnits(db, actingAs(res), { ...everySalesUnit, new: newDays })
  return newText(res, found, `sales-units${queryOf({ new: newDays, sort: '-seen' })}`)
}

async function newMerchants(db: Handle, res: Response): Promise<Count['change']> {
  const found = await countMerchants(db, actingAs(res), { ...everyMerchant, new: newDays })
  return newText(res, found, `merchants${queryOf({ new: newDays })}`)
}

async function newOrders(db: Handle, res: Response): Promise<Count['change']> {
  const found = await countProductOrders(db, actingAs(res), { ...everyOrder, new: newDays })
  return newText(res, found, `product-orders${queryOf({ new: newDays })}`)
}

function newText(
  { locals: { language } }: Response,
  { total, more }: { readonly total: number; readonly more: boolean },
  path: string,
): Count['change'] {
  const { t, format } = language
  if (total === 0) return { text: t('landing.noneNew'), path: undefined }
  const number = more ? t('common.moreThan', { count: format.number(total) }) : format.number(total)
  return { text: t('landing.newThisWeek', { number }), path }
}

/** What changed in the last week, by resource: what came, else what is different. Tells nothing before the first week is over. */
async function weeksChanges(db: Handle, res: Response): Promise<(resource: string) => Count['change']> {
  const since = new Date(Date.now() - weekMs)
  const first = await firstSeenAt(db, actingAs(res))
  if (!first || first > since) return () => ({ text: '', path: undefined })
  const resources = ['pricePackage', 'template', 'webhook']
  const added = await changesSince(db, res, since, resources, { kind: 'added', status: '' })
  const changed = await changesSince(db, res, since, resources, { kind: 'changed', status: '' })
  const { t } = res.locals.language
  return (resource) => {
    const [came, differs] = [added.get(resource), changed.get(resource)]
    if (came) return { text: t('landing.newThisWeek', { number: came.shown }), path: came.path }
    if (differs) return { text: t('landing.changedThisWeek', { number: differs.shown }), path: differs.path }
    return { text: t('landing.noneNew'), path: undefined }
  }
}
