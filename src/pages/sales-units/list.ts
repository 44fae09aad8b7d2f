import { z } from 'zod'
import { markets, merchantKey } from '../../domain/business-identifier.ts'
import { isMerchantIdentifier, type Organisation } from '../../domain/organisation.ts'
import { portalDay } from '../../domain/time-zone.ts'
import { readStored } from '../../management-api/lenient.ts'
import { configurationSwitches, salesUnit } from '../../management-api/sales-units.ts'
import type { Language } from '../../presentation/language.ts'
import {
  allSalesUnits,
  countRemovedSalesUnits,
  findSalesUnits,
  type SalesUnitColumn,
  type SalesUnitFilter,
  type SalesUnitRow,
  salesUnitsOf,
  type StoredSalesUnit,
} from '../../store/sales-units.ts'
import type { FreshnessService } from '../../sync/freshness.ts'
import type { PricePackage } from '../../management-api/price-packages.ts'
import { daysField, linkedField, marketField, merchantField, monthField } from '../lists/filter-fields.ts'
import type { ListDefinition } from '../lists/list.ts'
import type { Field, Tabs } from '../lists/list-view.ts'
import { choice, choices, days, month, recordKey, searchText, ticked } from '../lists/query.ts'
import { type ExportColumn, inBatches } from '../lists/sheet.ts'
import { pricePackageAnswer } from '../price-packages/answer.ts'
import { pricePackageColumns, pricePackageField } from '../price-packages/of-sales-units.ts'
import { allPricePackages } from '../price-packages/rows.ts'

/** The capture types that the API documents. */
const captureTypes = ['ReserveCapture', 'DirectCapture', 'NotApplicable'] as const

/** The list of the organisation's sales units. Cells of unread sales units are empty in downloads. */
export const salesUnitList: ListDefinition<ListedSalesUnit, ReadSalesUnit, SalesUnitFilter, SalesUnitColumn> = {
  noun: 'salesUnits',
  resource: 'salesUnits',
  filters: z.object({
    q: searchText,
    market: choice(markets),
    capture: choice(captureTypes),
    can: choices(configurationSwitches),
    new: days,
    month,
    at: month,
    removed: ticked,
    webhooks: choice(['none']),
    merchant: recordKey,
    package: recordKey,
  }),
  developerFilters: ['webhooks'],
  sorts: ['name', 'msn', 'merchant', 'identifier', 'seen', 'removed'],
  columns: [
    { label: 'salesUnits.name', sort: 'name' },
    { label: 'salesUnits.msn', sort: 'msn', width: 'w-msn folds' },
    { label: 'salesUnits.merchant', sort: 'merchant', width: 'w-merchant' },
    { label: 'salesUnits.canDo', width: 'w-features' },
    { label: 'lists.firstSeen', sort: 'seen', width: 'w-date', when: ({ removed }) => !removed },
    { label: 'lists.removedAt', sort: 'removed', width: 'w-date', when: ({ removed }) => removed },
  ],
  rowView: 'sales-units/row',
  detailPath: ({ msn }) => `sales-units/${msn}`,
  hasProgress: true,
  fields: async ({ db, organisation, language, filter, isDeveloper }) => [
    ...fieldsOf(language, filter, isDeveloper),
    ...(await pricePackageField(db, organisation, language, filter.package)),
    ...(await merchantField(db, organisation, language, filter.merchant)),
  ],
  load: async ({ db, freshness, organisation, language, fresh, filter, asked }) => {
    // One after the other: a page that takes two connections leaves none to the pages of other users.
    const page = await findSalesUnits(db, organisation, filter, { ...asked, total: fresh.total ?? undefined })
    const removed = await countRemovedSalesUnits(db, organisation)
    const rows = page.rows.map((row) => listedOf(row, filter))
    requestUnread(
      freshness,
      organisation,
      rows.filter(({ removedAt }) => removedAt === null),
    )
    const active = fresh.total ?? (filter.removed ? 0 : page.total)
    return {
      page: { ...page, rows },
      // At the end of an earlier month there may have been more than there are now.
      total: filter.removed ? removed : filter.at === '' ? active : Math.max(active, page.total),
      tabs: removed > 0 && filter.at === '' ? tabsOf(language, active, removed) : undefined,
    }
  },
  exported: [
    { label: 'salesUnits.name', cell: ({ name }) => name },
    { label: 'salesUnits.msn', cell: ({ msn }) => msn },
    { label: 'salesUnits.merchant', cell: ({ merchantName }) => merchantName },
    { label: 'exports.scheme', cell: ({ read }) => read?.businessIdentifier?.scheme },
    { label: 'salesUnits.identifier', cell: ({ read }) => read?.businessIdentifier?.id },
    { label: 'salesUnits.capture', cell: captureLabel },
    ...configurationSwitches.map(switchColumn),
    { label: 'lists.firstSeen', kind: 'date', cell: ({ firstSeenAt }) => portalDay(firstSeenAt) },
    {
      label: 'lists.removedAt',
      kind: 'date',
      cell: ({ removedAt }) => removedAt && portalDay(removedAt),
    },
  ],
  exportRows: async ({ db, organisation, filter, asked }) => {
    const keys = await allSalesUnits(db, organisation, filter, asked.sort)
    const packages = organisation.kind === 'partner' ? await allPricePackages(db, organisation) : []
    return inBatches(keys, async (some) =>
      (await salesUnitsOf(db, organisation, some)).map((stored) => readOf(stored, packages)),
    )
  },
  notes: ({ kind }) => (kind === 'partner' ? [['faqTitle', 'faq', 'why']] : []),
}

/** The same for a partner, whose downloads also tell the price packages. */
export const partnerSalesUnitList: typeof salesUnitList = {
  ...salesUnitList,
  exported: [...salesUnitList.exported, ...pricePackageColumns],
}

type ListedSalesUnit = ReturnType<typeof listedOf>

/** A row of the list; the identifier is undefined until the sales unit's details have been read. */
function listedOf({ scheme, businessId, isMerchantRead, ...row }: SalesUnitRow, { removed }: SalesUnitFilter) {
  const identifier = scheme !== null && businessId !== null ? { scheme, id: businessId } : undefined
  // In a row that has been read in full, a missing merchant is one that the API does not share.
  // The API has no merchant for an identifier that is none.
  const isRead = identifier !== undefined && (isMerchantRead || !isMerchantIdentifier(identifier))
  // The sales units of an earlier month include some that have been removed since.
  return { ...row, identifier, isRead, isRemovedSince: row.removedAt !== null && !removed }
}

/** Requests unread details of the shown rows, which the sync then reads first. */
function requestUnread(
  freshness: FreshnessService,
  organisation: Organisation,
  rows: readonly ListedSalesUnit[],
): void {
  const salesUnits = rows.filter(({ areDetailsRead }) => !areDetailsRead).map(({ msn }) => msn)
  const merchants = rows.flatMap(({ identifier, isRead }) => (identifier && !isRead ? [merchantKey(identifier)] : []))
  freshness.requestUnread(organisation, 'salesUnit', salesUnits)
  freshness.requestUnread(organisation, 'merchant', [...new Set(merchants)])
}

function tabsOf({ t }: Language, active: number, removed: number): Tabs {
  return {
    label: t('salesUnits.title'),
    options: [
      { label: t('salesUnits.active'), count: active, filter: { removed: false } },
      { label: t('lists.removed'), count: removed, filter: { removed: true } },
    ],
  }
}

function fieldsOf(language: Language, filter: SalesUnitFilter, isDeveloper: boolean): readonly Field[] {
  const { t } = language
  const captures = captureTypes.map((value) => ({ value, label: t(`captureTypes.${value}`) }))
  const abilities = configurationSwitches.map((value) => ({ value, label: t(`configuration.${value}.name`) }))
  const webhooks = [{ value: 'none', label: t('salesUnits.noWebhooks') }]
  return [
    marketField(language),
    { kind: 'one', name: 'capture', label: t('salesUnits.capture'), options: captures },
    { kind: 'many', name: 'can', label: t('salesUnits.canDo'), options: abilities },
    ...(isDeveloper ? [{ kind: 'tick', name: 'webhooks', label: '', options: webhooks } as const] : []),
    daysField(language, 'new', filter.new, 'chip'),
    monthField(language, filter.month),
    ...linkedField('at', filter.at, '', filter.at && t('salesUnits.at', { month: language.format.month(filter.at) })),
    { kind: 'chip', name: 'removed', label: '', options: [{ value: '1', label: t('lists.removed') }] },
  ]
}

type ReadSalesUnit = ReturnType<typeof readOf>

function readOf({ details, ...row }: StoredSalesUnit, packages: readonly PricePackage[]) {
  const read = details ? readStored(salesUnit, details) : undefined
  const priced = { ...row, scheme: read?.businessIdentifier?.scheme, product: row.product ?? undefined }
  return { ...row, read, answer: pricePackageAnswer(packages, priced) }
}

function captureLabel({ read }: ReadSalesUnit, { label }: Language): string {
  const type = read?.configuration['captureType']
  return typeof type === 'string' ? label(`captureTypes.${type}`, type) : ''
}

function switchColumn(name: (typeof configurationSwitches)[number]): ExportColumn<ReadSalesUnit> {
  return {
    label: `configuration.${name}.name`,
    cell: ({ read }, { t }) => {
      const value = read?.configuration[name]
      return typeof value === 'boolean' ? t(value ? 'common.yes' : 'common.no') : ''
    },
  }
}
