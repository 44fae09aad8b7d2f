import { NotSharedError, UpstreamNotFoundError } from '../errors.ts'
import {
  listSalesUnits,
  getSalesUnit,
  type SalesUnit,
  type SalesUnitListItem,
} from '../management-api/sales-units.ts'
import type { Rows } from '../management-api/parse.ts'
import type { Organisation } from '../organisation.ts'
import { type Page, paginate } from '../paging.ts'
import { byName, containing } from './matching.ts'
import type { Merchants } from './merchants.ts'
import { withPatience } from './patience.ts'
import { createShelf } from './shelf.ts'
import type { Source } from './source.ts'

/** What may be asked of the list: text to look for, and the page, from 1. */
export type SalesUnitFilter = { readonly q: string; readonly page: number }

/** One line of the list. What only the details carry is undefined until they have been read. */
export type SalesUnitRow = {
  readonly msn: string
  readonly name: string
  readonly details: Omit<SalesUnit, 'msn' | 'name'> | undefined
  readonly merchantName: string | undefined
  /** True when all of it has been read: what is undefined then is not shared. */
  readonly read: boolean
}

/** A page of sales units, with what is missing from it. */
export type SalesUnitList = {
  readonly page: Page<SalesUnitRow>
  /** All sales units of the organisation, and how many of them have been read in full. */
  readonly total: number
  readonly detailed: number
  /** Rows of the API's answer that made no sense. */
  readonly skipped: number
  readonly readAt: number
}

export type SalesUnits = {
  /** Sorted by name; `q` is looked for in name, MSN, merchant name and business identifier. */
  readonly find: (organisation: Organisation, filter: SalesUnitFilter) => Promise<SalesUnitList>
  /** @throws NotSharedError when it is not active or not connected to the organisation */
  readonly get: (
    organisation: Organisation,
    msn: string,
  ) => Promise<{ readonly salesUnit: SalesUnit; readonly readAt: number }>
  /** Every sales unit by MSN and name only, sorted by name. */
  readonly names: (organisation: Organisation) => Promise<Rows<SalesUnitListItem>>
  /** How many there are, if the list has been read. */
  readonly knownCount: (organisation: Organisation) => number | undefined
}

const list = ''
const minute = 60_000

/** The lists of the API carry MSN and name only; the rest is read a sales unit, and a merchant, at a time. */
export const createSalesUnits = ({ clientOf, ...options }: Source, merchants: Merchants): SalesUnits => {
  const lists = createShelf<Rows<SalesUnitListItem>>(
    async (organisation, _key, priority) => {
      const { rows, skipped } = await listSalesUnits(clientOf(organisation), { priority })
      return { rows: rows.toSorted((a, b) => byName(a.name, b.name)), skipped }
    },
    { ...options, purpose: 'salesUnits', maxAgeMs: minute },
  )

  /** Undefined is an answer: the sales unit is in the list but no longer shared. */
  const details = createShelf<SalesUnit | undefined>(
    async (organisation, msn, priority) => {
      try {
        const salesUnit = await getSalesUnit(clientOf(organisation), msn, { priority })
        await withPatience(merchants.read(organisation, salesUnit.businessIdentifier, priority))
        return salesUnit
      } catch (error) {
        if (error instanceof UpstreamNotFoundError) return undefined
        throw error
      }
    },
    { ...options, purpose: 'salesUnit', maxAgeMs: 60 * minute },
  )

  const isRead = (organisation: Organisation, msn: string): boolean => {
    const reading = details.peek(organisation, msn)
    return (
      reading !== undefined &&
      (!reading.value || merchants.known(organisation, reading.value.businessIdentifier))
    )
  }
  const rowOf = (organisation: Organisation, { msn, name }: SalesUnitListItem): SalesUnitRow => {
    const known = details.peek(organisation, msn)?.value
    const merchant = known && merchants.peek(organisation, known.businessIdentifier)
    return { msn, name, details: known, merchantName: merchant?.name, read: isRead(organisation, msn) }
  }
  const readRow = async (organisation: Organisation, msn: string): Promise<void> => {
    const { value } = await details.read(organisation, msn)
    if (value) await merchants.read(organisation, value.businessIdentifier, 'interactive')
  }
  /** The merchants come with their sales units; once more, for those that failed. */
  const readAhead = async (organisation: Organisation, msns: readonly string[]): Promise<void> => {
    await details.readAhead(organisation, msns)
    const identifiers = msns.flatMap(
      (msn) => details.peek(organisation, msn)?.value?.businessIdentifier ?? [],
    )
    await merchants.readAhead(organisation, identifiers)
  }

  return {
    find: async (organisation, filter) => {
      const { value, readAt } = await lists.read(organisation, list)
      const matches = containing(filter.q)
      const matching = value.rows
        .map((item) => rowOf(organisation, item))
        .filter(({ name, msn, merchantName, details: known }) => {
          const identifier = known?.businessIdentifier
          return matches([
            name,
            msn,
            merchantName,
            identifier?.id,
            identifier && `${identifier.scheme}:${identifier.id}`,
          ])
        })
      const page = paginate(matching, filter.page)
      const shown = page.rows.map(({ msn }) => msn)
      await withPatience(
        Promise.allSettled(
          shown.filter((msn) => !isRead(organisation, msn)).map((msn) => readRow(organisation, msn)),
        ),
      )
      const msns = value.rows.map(({ msn }) => msn)
      void readAhead(organisation, msns)
      return {
        page: { ...page, rows: page.rows.map((row) => rowOf(organisation, row)) },
        total: value.rows.length,
        detailed: msns.filter((msn) => isRead(organisation, msn)).length,
        skipped: value.skipped,
        readAt,
      }
    },
    get: async (organisation, msn) => {
      const { value, readAt } = await details.read(organisation, msn, { maxAgeMs: minute })
      if (!value) throw new NotSharedError('salesUnitNotShared', msn)
      return { salesUnit: value, readAt }
    },
    names: async (organisation) => (await lists.read(organisation, list)).value,
    knownCount: (organisation) => lists.peek(organisation, list)?.value.rows.length,
  }
}
