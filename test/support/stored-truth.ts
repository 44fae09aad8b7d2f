import { productOrder } from '../../src/management-api/product-orders.ts'
import { salesUnit } from '../../src/management-api/sales-units.ts'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import { cyclic, type Random } from '../../demo/world/random.ts'
import type { DemoWorld } from '../../demo/world/types.ts'
import type { Change } from '../../src/store/changes.ts'
import type { Json } from '../../src/store/records.ts'
import { differences } from '../../src/sync/reconcile.ts'
import { asStored } from '../../src/sync/list-diff.ts'
import { partner } from './instances.ts'

const statuses = ['RECEIVED', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED', 'COMPLETED', 'REJECTED']

/** Records every state of the demo world, and compares the portal's rows and history with them. */
export function createTruth(world: DemoWorld, random: Random) {
  const states = new Map<string, (Json | undefined)[]>()
  const remember = (): void => {
    const seen = visible(world)
    for (const name of new Set([...states.keys(), ...seen.keys()])) {
      const past = states.get(name) ?? []
      states.set(name, past)
      const now = seen.get(name)
      if (past.length === 0 || JSON.stringify(past.at(-1)) !== JSON.stringify(now)) past.push(now)
    }
  }
  remember()
  /** Records that existed before the first sync; for later ones the first state that the portal saw is unknown. */
  const initial = new Set(states.keys())
  const valueAt = (state: Json | undefined, path: string): unknown => {
    let value: unknown = state
    for (const part of path.split('.'))
      value = typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined
    return value ?? null
  }

  /** The errors in the history of one record, oldest entry first. */
  const errorsInHistory = (name: string, history: readonly Change[]): string[] => {
    const past = states.get(name)
    if (!past) return [`${name} never existed`]
    const wrong: string[] = []
    if (history[0]?.kind !== 'added') wrong.push(`${name} did not appear first`)
    let exists = false
    const values = new Map<string, unknown>()
    for (const { kind, fields } of history) {
      const fits = kind === 'added' ? history[0]?.kind === kind && !exists : kind === 'returned' ? !exists : exists
      if (!fits) wrong.push(`${name} ${kind} when it was ${exists ? '' : 'not '}there`)
      exists = kind !== 'removed'
      if (kind === 'changed' && Object.keys(fields).length === 0) wrong.push(`${name} changed nothing`)
      for (const [path, [before, after]] of Object.entries(fields)) {
        const first = initial.has(name) ? valueAt(past[0], path) : before
        const known = values.has(path) ? values.get(path) : first
        if (JSON.stringify(before) !== JSON.stringify(known))
          wrong.push(`${name} ${path} was ${JSON.stringify(known)}, not ${JSON.stringify(before)}`)
        if (JSON.stringify(before) === JSON.stringify(after)) wrong.push(`${name} ${path} changed to itself`)
        if (!past.some((state) => JSON.stringify(valueAt(state, path)) === JSON.stringify(after)))
          wrong.push(`${name} ${path} never was ${JSON.stringify(after)}`)
        values.set(path, after)
      }
    }
    const now = past.at(-1)
    if (exists !== (now !== undefined)) wrong.push(`${name} is ${exists ? '' : 'not '}there at the end`)
    for (const [path] of Object.entries(now && past[0] && initial.has(name) ? differences(past[0], now) : {}))
      if (JSON.stringify(values.get(path) ?? null) !== JSON.stringify(valueAt(now, path)))
        wrong.push(`${name} ${path} is ${JSON.stringify(valueAt(now, path))}, which no history tells`)
    return wrong
  }

  return {
    change: (number: number): void => {
      applyRandomChanges(world, random, number)
      remember()
    },
    now: (): Map<string, Json> => visible(world),
    /** All differences of rows and history from the recorded states. */
    compare: (rows: ReadonlyMap<string, Json>, history: readonly Change[]): string[] => {
      const wrong: string[] = []
      const seen = visible(world)
      for (const name of new Set([...rows.keys(), ...seen.keys()])) {
        const [stored, real] = [rows.get(name), seen.get(name)]
        if (!stored || !real) wrong.push(`${name} is ${stored ? 'stored only' : 'missing'}`)
        else if (Object.keys(differences(stored, real)).length > 0)
          wrong.push(`${name} differs: ${JSON.stringify(differences(stored, real))}`)
      }
      const byName = Map.groupBy(history, ({ resource, key }) => nameOf(resource, key))
      for (const [name, entries] of byName) wrong.push(...errorsInHistory(name, entries))
      for (const name of seen.keys()) if (!byName.has(name)) wrong.push(`${name} has no history`)
      return wrong
    },
  }
}

/** The records of the world that the partner can see, by resource and key, as the portal stores them. */
function visible(world: DemoWorld): Map<string, Json> {
  const seen = new Map<string, Json>()
  for (const { body } of visibleSalesUnits(world, partner))
    seen.set(nameOf('salesUnit', body.msn), asStored(salesUnit.parse(body)))
  for (const { partnerId, body } of world.productOrders)
    if (partnerId === '23456') seen.set(nameOf('productOrder', body.productOrderId), asStored(productOrder.parse(body)))
  for (const { registeredFor, body } of world.webhooks) {
    const msn = registeredFor === 'partner/23456' ? '' : registeredFor.replace(/^msn\//, '')
    if (msn === '' || (msn !== registeredFor && seen.has(nameOf('salesUnit', msn))))
      seen.set(nameOf('webhook', `${msn}/${body.id}`), asStored(body))
  }
  return seen
}

/** Changes a few records of the partner, but never so many that a list becomes suspect. */
function applyRandomChanges(world: DemoWorld, random: Random, number: number): void {
  const mine = world.salesUnits.filter(({ partnerId }) => partnerId === '23456')
  const one = random.pick(mine)
  one.body.name = `${one.body.name.replace(/ \(.*/, '')} (${number})`
  const other = random.pick(mine)
  other.body.configuration['captureType'] = random.pick(['ReserveCapture', 'DirectCapture', 'NotApplicable'])
  other.body.configuration['recurringAllowed'] = random.chance(0.5)
  const third = random.pick(mine)
  third.active = !third.active
  for (const { active } of [third])
    if (!active) for (const sleeping of mine.filter((row) => !row.active).slice(3)) sleeping.active = true
  const order = random.pick(world.productOrders.filter(({ partnerId }) => partnerId === '23456'))
  order.body.status = cyclic(statuses, number + random.below(4))
  const hook = random.pick(world.webhooks.filter(({ registeredFor }) => registeredFor.startsWith('msn/')))
  hook.body.url = `https://pos.fjordkasse.example/moved/${number}`
  const copy = structuredClone(random.pick(mine))
  copy.body.msn = String(900_000 + number)
  copy.active = true
  world.salesUnits.push(copy)
}

function nameOf(resource: string, key: string): string {
  return `${resource} ${key}`
}
