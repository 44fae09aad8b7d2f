import { createRandom, type Random } from '../src/demo/world/random.ts'
import type { DemoWorld } from '../src/demo/world/types.ts'
import type { Organisation } from '../src/organisation.ts'
import { pageSizes } from '../src/paging.ts'
import type { Handle } from '../src/store/database.ts'
import { findSalesUnits } from '../src/store/sales-units.ts'
import { largeId } from './world.ts'

/** What somebody might type, and which page of what is found they look at. */
export type Query = { readonly q: string; readonly page: number }

/** The sales units that the list shows for it, in the order of their names. @param total how many there are in all */
export const findTyped = async (
  db: Handle,
  organisation: Organisation,
  { q, page }: Query,
  total: number,
) => {
  const filter = { q, market: '', capture: '', can: [] }
  const sort = { column: 'name', descending: false } as const
  return findSalesUnits(db, organisation, filter, { sort, page, size: pageSizes[0], total })
}

const longest = 20
const perLength = 20
/** There are but two lengths of these. */
const perShortLength = 80

/** All that is searched of each sales unit of the large partner, a text each. */
const searchedTexts = (world: DemoWorld): string[] => {
  const names = new Map(world.merchants.map(({ body }) => [body.businessIdentifier.id, body.name]))
  return world.salesUnits
    .filter(({ partnerId }) => partnerId === largeId)
    .flatMap(({ body: { name, msn, businessIdentifier } }) => {
      const { scheme, id } = businessIdentifier
      return [name, msn, names.get(id) ?? name, `${scheme}:${id}`]
    })
}

/** A part of some text, at any place, that no trimming makes shorter. */
const partOf = (texts: readonly string[], length: number, random: Random): string => {
  for (;;) {
    const text = random.pick(texts)
    const start = random.below(Math.max(1, text.length - length + 1))
    const part = text.slice(start, start + length)
    if (part.trim().length === length) return part
  }
}

const nothing = (length: number, random: Random): string =>
  Array.from({ length }, () => 'qxzwvj7'.charAt(random.below(7))).join('')

/**
 * Queries of 1 to 20 characters: parts of what is there, some of them in capitals, some with letters of the North,
 * some that match nothing, and some with a later page.
 */
export const createQueries = (world: DemoWorld): Query[] => {
  const random = createRandom(99)
  const texts = searchedTexts(world)
  const northern = texts.filter((text) => /[æøåäö]/i.test(text))
  const northernPart = (length: number): string => {
    for (;;) {
      const part = partOf(northern, length, random)
      if (/[æøåäö]/i.test(part)) return part
    }
  }
  const one = (length: number, index: number): Query => {
    const page = index % 5 === 4 ? 2 + random.below(11) : 1
    if (index % 10 === 9) return { q: nothing(length, random), page: 1 }
    if (index % 10 === 8) return { q: northernPart(length), page }
    const part = partOf(texts, length, random)
    return { q: index % 10 === 7 ? part.toUpperCase() : part, page }
  }
  return Array.from({ length: longest }, (_, index) => index + 1).flatMap((length) =>
    Array.from({ length: length < 3 ? perShortLength : perLength }, (_, index) => one(length, index)),
  )
}
