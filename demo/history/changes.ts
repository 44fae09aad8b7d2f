import { merchantKey } from '../../src/domain/business-identifier.ts'
import { lists } from '../../src/sync/resources.ts'
import type { PastRow } from '../history.ts'
import type { DemoSalesUnit, DemoWorld } from '../world/types.ts'

/** Before everything else that the history tells. */
const firstDay = 330

/** Every third price package once had another commission or price. */
export function pastPricePackages({ pricePackages }: DemoWorld, partnerId: string): PastRow[] {
  const mine = pricePackages.filter((row) => row.partnerId === partnerId)
  return mine.flatMap(({ body }, index): PastRow[] => {
    const key = lists.pricePackages.keyOf(body)
    const now = { daysAgo: 1 + index * 17, key, item: body }
    if (index % 3 !== 0) return [{ ...now, daysAgo: firstDay }]
    const before = { ...body, commission: '12 %', ...(index % 2 === 1 ? { description: '3,25 %' } : {}) }
    return [{ daysAgo: firstDay, key, item: before }, now]
  })
}

/** The templates, one by one; the first once had fewer locked fields, and one is gone. */
export function pastTemplates(world: DemoWorld, partnerId: string): PastRow[] {
  if (!world.partnersWithTemplates.includes(partnerId)) return []
  const mine = world.templates.filter((row) => row.partnerId === partnerId)
  return mine.flatMap(({ body }, index): PastRow[] => {
    const [key, daysAgo] = [body.templateId, firstDay - index * 70]
    if (index > 0) return [{ daysAgo, key, item: body }]
    const gone = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
    return [
      { daysAgo, key, item: { ...body, lockedFields: body.lockedFields?.slice(0, 1) } },
      { daysAgo: 40, key, item: body },
      { daysAgo, key: gone, item: { ...body, templateId: gone, name: `${body.name} 2025` } },
      { daysAgo: 75, key: gone },
    ]
  })
}

/** The partner's own webhooks: the first gained events, and one is gone. */
export function pastWebhooks({ webhooks }: DemoWorld, partnerId: string): PastRow[] {
  const mine = webhooks.filter(({ registeredFor }) => registeredFor === `partner/${partnerId}`)
  return mine.flatMap(({ body }, index): PastRow[] => {
    const now = { daysAgo: Math.max(2, 200 - index * 30), key: lists.webhooks.keyOf(body), item: body }
    if (index > 0) return [now]
    const id = `${body.id.slice(0, -1)}${body.id.endsWith('0') ? '1' : '0'}`
    const key = lists.webhooks.keyOf({ id })
    return [
      { ...now, item: { ...body, events: body.events.slice(0, 3) } },
      { ...now, daysAgo: 25 },
      { daysAgo: 160, key, item: { ...body, id, url: `${body.url}/test` } },
      { daysAgo: 1, key },
    ]
  })
}

/** The settings of some sales units, which were others before. */
export function pastSettings(salesUnits: readonly DemoSalesUnit[]): PastRow[] {
  const rate = salesUnits.length > 100 ? 30 : 3
  return salesUnits.flatMap(({ body }, index): PastRow[] => {
    if (index % rate !== 0 || index > salesUnits.length / 2) return []
    const { captureType, paymentAllowed } = body.configuration
    if (captureType === 'NotApplicable') return []
    const configuration =
      index % 2 === 0
        ? { ...body.configuration, captureType: captureType === 'DirectCapture' ? 'ReserveCapture' : 'DirectCapture' }
        : { ...body.configuration, paymentAllowed: paymentAllowed !== true }
    return [
      // Later than the list's first sight of it.
      { daysAgo: 55, key: body.msn, item: { ...body, configuration } },
      { daysAgo: 1 + ((index * 7) % 50), key: body.msn, item: body },
    ]
  })
}

/**
 * The merchants of sales units, which came with the first of them; some had another name or address before.
 * @param firstDays how many days ago each sales unit came, by MSN
 */
export function pastMerchants(
  { merchants }: DemoWorld,
  salesUnits: readonly DemoSalesUnit[],
  firstDays: ReadonlyMap<string, number>,
): PastRow[] {
  const mine = Map.groupBy(salesUnits, ({ body }) => merchantKey(body.businessIdentifier))
  const rate = mine.size > 50 ? 25 : 3
  return merchants
    .filter(({ body }) => body.status === 'ACTIVE' && mine.has(merchantKey(body.businessIdentifier)))
    .flatMap(({ body }, index): PastRow[] => {
      const key = merchantKey(body.businessIdentifier)
      const first = Math.max(...(mine.get(key) ?? []).map((unit) => firstDays.get(unit.body.msn) ?? 1))
      if (index % rate !== 0) return [{ daysAgo: first, key, item: body }]
      const { businessAddress: address } = body
      const before =
        (index / rate) % 2 === 0 || !address
          ? { ...body, name: `${words(body.name).replace(/ \S+$/, '')} Holding` }
          : { ...body, businessAddress: { ...address, lines: ['Gamleveien 1'] } }
      return [
        { daysAgo: Math.max(first, 54), key, item: before },
        { daysAgo: 1 + (((index / rate) * 13) % 45), key, item: body },
      ]
    })
}

/** The merchants that had only sales units that the API no longer has. */
export function removedMerchants(
  { merchants }: DemoWorld,
  visible: readonly DemoSalesUnit[],
  hidden: readonly DemoSalesUnit[],
): PastRow[] {
  const keysOf = (units: readonly DemoSalesUnit[]) =>
    new Set(units.map(({ body }) => merchantKey(body.businessIdentifier)))
  const gone = keysOf(hidden).difference(keysOf(visible))
  return merchants
    .map(({ body }) => ({ key: merchantKey(body.businessIdentifier), item: { ...body, status: 'ACTIVE' } }))
    .filter(({ key }) => gone.has(key))
    .flatMap(({ key, item }) => [
      { daysAgo: 199, key, item },
      { daysAgo: 13, key },
    ])
}

/** With --oddities a name may be of any type. */
function words(name: unknown): string {
  return typeof name === 'string' ? name : ''
}
