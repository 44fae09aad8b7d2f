import { readStored } from '../../management-api/lenient.ts'
import type { BusinessIdentifier } from '../../management-api/merchants.ts'
import { webhook } from '../../management-api/webhooks.ts'
import type { Language } from '../../presentation/language.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { pageSizes } from '../../domain/paging.ts'
import type { Handle } from '../../store/database.ts'
import { everyMerchant, findMerchants } from '../../store/merchants.ts'
import { everyOrder, findProductOrders } from '../../store/product-orders.ts'
import { everySalesUnit, findSalesUnits } from '../../store/sales-units.ts'
import { findWebhooks } from '../../store/webhooks.ts'
import { allPricePackages, pricePackagesFound } from '../price-packages/rows.ts'
import { orderOf } from '../product-orders/order.ts'
import { allTemplates, templatesFound } from '../templates/rows.ts'

/** A match. `path` is below the organisation's section; `id` is the record's exact id. */
export type Found = {
  readonly path: string
  readonly id: string
  readonly name: string
  readonly identifier?: BusinessIdentifier | undefined
  readonly note?: string | undefined
}

/** The matches of one kind: the first few, the total, and the path of the list that has all, if there is one. */
export type Group = {
  readonly key: 'salesUnits' | 'merchants' | 'productOrders' | 'templates' | 'pricePackages' | 'webhooks'
  readonly rows: readonly Found[]
  readonly total: number
  /** There are more than `total`, which is where counting stops. */
  readonly more: boolean
  readonly all: string | undefined
}

const mostRows = 5
const size = pageSizes[0]

type Asked = {
  readonly db: Handle
  readonly organisation: Organisation
  readonly q: string
  readonly language: Language
}

/**
 * The organisation's records that contain `q`, by kind; kinds without matches are left out.
 * @param seesDevelopers whether the user may see webhooks
 */
export async function searchGroups(asked: Asked, seesDevelopers: boolean): Promise<readonly Group[]> {
  const isPartner = asked.organisation.kind === 'partner'
  const groups = [await salesUnits(asked)]
  if (isPartner)
    groups.push(await merchants(asked), await productOrders(asked), await templates(asked), await pricePackages(asked))
  if (seesDevelopers) groups.push(await webhooks(asked))
  return groups.filter(({ total }) => total > 0)
}

async function salesUnits({ db, organisation, q, language }: Asked): Promise<Group> {
  const sort = { column: 'name', descending: false, language: language.code } as const
  const page = await findSalesUnits(db, organisation, { ...everySalesUnit, q }, { page: 1, size, sort })
  return {
    key: 'salesUnits',
    total: page.total,
    more: page.more,
    all: listOf('sales-units', q),
    rows: page.rows.slice(0, mostRows).map(({ msn, name, merchantName }) => ({
      path: `sales-units/${encodeURIComponent(msn)}`,
      id: msn,
      name,
      note: merchantName ?? '',
    })),
  }
}

async function merchants({ db, organisation, q, language }: Asked): Promise<Group> {
  const sort = { column: 'name', descending: false, language: language.code } as const
  const { rows, total, more } = await findMerchants(db, organisation, { ...everyMerchant, q }, { page: 1, size, sort })
  return {
    key: 'merchants',
    total,
    more,
    all: listOf('merchants', q),
    rows: rows.slice(0, mostRows).map(({ scheme, id, name }) => ({
      path: `merchants/${encodeURIComponent(scheme).replaceAll('%3A', ':')}/${encodeURIComponent(id)}`,
      id,
      name: name ?? '',
      identifier: { scheme, id },
    })),
  }
}

async function productOrders({ db, organisation, q, language }: Asked): Promise<Group> {
  const sort = { column: 'urgency', descending: false } as const
  const page = await findProductOrders(db, organisation, { ...everyOrder, q }, { page: 1, size, sort })
  return {
    key: 'productOrders',
    total: page.total,
    more: page.more,
    all: listOf('product-orders', q),
    rows: page.rows
      .slice(0, mostRows)
      .map(orderOf)
      .map(({ productOrderId, businessIdentifier, merchantName, state, productType }) => ({
        path: productOrderId ? `product-orders/${productOrderId}` : listOf('product-orders', q),
        id: productOrderId ?? '',
        name: merchantName ?? '',
        identifier: businessIdentifier,
        note: [
          language.labelOfCode(`orderStatus.${state}.name`, state),
          productType && language.labelOfCode(`productType.${productType}`, productType),
        ]
          .filter(Boolean)
          .join(', '),
      })),
  }
}

async function templates({ db, organisation, q, language }: Asked): Promise<Group> {
  const sort = { column: 'name', descending: false, language: language.code } as const
  const found = templatesFound(await allTemplates(db, organisation), { q, product: '' }, sort)
  return {
    key: 'templates',
    total: found.length,
    more: false,
    all: listOf('templates', q),
    rows: found.slice(0, mostRows).map(({ templateId, name = '' }) => ({
      path: listOf('templates', templateId),
      id: templateId,
      name,
    })),
  }
}

async function pricePackages({ db, organisation, q, language }: Asked): Promise<Group> {
  const sort = { column: 'name', descending: false, language: language.code } as const
  const filter = { q, product: '', market: '' }
  const found = pricePackagesFound(await allPricePackages(db, organisation), filter, sort)
  return {
    key: 'pricePackages',
    total: found.length,
    more: false,
    all: listOf('price-packages', q),
    rows: found.slice(0, mostRows).map(({ pricePackageId, name = '', description }) => ({
      path: listOf('price-packages', pricePackageId),
      id: pricePackageId,
      name,
      note: description,
    })),
  }
}

async function webhooks({ db, organisation, q }: Asked): Promise<Group> {
  const sort = { column: 'owner', descending: false } as const
  const page = await findWebhooks(db, organisation, { q }, { page: 1, size, sort })
  return {
    key: 'webhooks',
    total: page.total,
    more: page.more,
    all: listOf('developers/webhooks', q),
    rows: page.rows.slice(0, mostRows).map(({ listed, salesUnitName }) => {
      const { id, url = '' } = readStored(webhook, listed)
      return { path: listOf('developers/webhooks', id), id, name: url, note: salesUnitName ?? '' }
    }),
  }
}

function listOf(path: string, q: string): string {
  return `${path}?${new URLSearchParams({ q }).toString()}`
}
