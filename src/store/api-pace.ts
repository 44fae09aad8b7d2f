import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'

/** What an organisation is allowed at most, and how long a call may take. */
export type PaceLimits = {
  readonly maxPerSecond: number
  readonly maxConcurrency: number
  readonly timeoutMs: number
}

/** Turns that one instance was given: `count` calls, the first in `waitMs`, each next one `stepMs` later. */
export type Lease = {
  readonly count: number
  /** How many calls it may have in flight from now on. */
  readonly atOnce: number
  readonly waitMs: number
  readonly stepMs: number
  /** Whether other instances take turns, too. */
  readonly shared: boolean
  /** True while the API is taken for down: nothing is given but one call to try it, now and then. */
  readonly down: boolean
}

/**
 * Calls are spread a little wider than the limit, so that one that is late does not meet the one a second after it:
 * wider where others call too, whose delays nobody here can see.
 */
const spread = { shared: 1.04, alone: 1.01 }
/** After a 429 the way back to the full rate takes this long. */
const recoverySeconds = 30
/** An instance that has not been heard of for longer than a call may take has none in flight any more. */
const claimMarginMs = 1500
/** Turns are taken so far ahead at most: not far where others want theirs, further where nobody else is. */
const aheadSeconds = { shared: 0.4, alone: 1.2 }
/** Left alone after it was found down: twice as long each time that it still is. */
const [firstTripSeconds, mostTripSeconds] = [2, 120]

/** The calls a second that are allowed now: less after a 429, and a little more every second since. */
const rateNow = (maxPerSecond: number) => sql<number>`
  least(${maxPerSecond}::float8, coalesce(
    slow_rate + ${maxPerSecond}::float8 * extract(epoch from clock_timestamp() - slowed_at)::float8 / ${recoverySeconds}::float8,
    ${maxPerSecond}::float8))`

/**
 * Takes the next turns of an organisation, whose rate and calls in flight all instances share: one row, one
 * statement, the database's clock. Whoever has more in flight than its part keeps them and begins no more.
 * @param ask.instance names the caller among all; `wanted` turns it could use, `inFlight` calls it has under way or
 * may begin before it is answered, and `atOnce` how many it would have under way at most
 */
export const leaseTurns = async (
  db: Handle,
  organisation: Organisation,
  limits: PaceLimits,
  ask: {
    readonly instance: string
    readonly wanted: number
    readonly inFlight: number
    readonly atOnce: number
  },
): Promise<Lease> => {
  const key = organisationKey(organisation)
  const { maxPerSecond, maxConcurrency, timeoutMs } = limits
  const { instance, wanted, inFlight, atOnce } = ask
  const others = sql`jsonb_each(in_flight) claim
    where claim.key <> ${instance} and (claim.value->>1)::float8 > extract(epoch from clock_timestamp())`
  const claimSeconds = (timeoutMs + claimMarginMs) / 1000
  const { rows } = await sql<{
    count: number
    at_once: number
    wait_ms: number
    step_ms: number
    shared: boolean
    down: boolean
  }>`
    with pace as (
      select trips, clock_timestamp() as now, ${rateNow(maxPerSecond)} as rate,
        greatest(next_at, held_until, clock_timestamp()) as start,
        -- Not by start, whose clock is a little later than now's.
        coalesce(greatest(next_at, held_until) <= clock_timestamp(), true) as hold_over,
        -- Not joined: whoever waited for the lock would be given the row as it is now, and what was joined as it was before.
        (select coalesce(sum((claim.value->>0)::int), 0) from ${others})::int as claimed,
        (select count(*) from ${others})::int as instances
      from api_pace where organisation = ${key} for update
    ), shared as (
      select *,
        -- What others have is theirs, and of the whole nobody takes more than a fair part.
        greatest(0, least(
          ${maxConcurrency}::int - claimed, ${atOnce}::int,
          ceil(${maxConcurrency}::float8 / (1 + instances))))::int as at_once,
        case when instances = 0 then ${spread.alone}::float8 else ${spread.shared}::float8 end / rate as step,
        case when trips > 0 then 1 else greatest(1, floor(rate *
          case when instances = 0 then ${aheadSeconds.alone}::float8 else ${aheadSeconds.shared}::float8 end))::int
        end as most
      from pace
    ), turns as (
      select *, case when at_once > 0 and (hold_over or (trips = 0 and start < now + interval '2 seconds'))
        then least(${wanted}::int, most) else 0 end as count
      from shared
    )
    update api_pace set
      next_at = case when count > 0
        then start + count * step * interval '1 second' else next_at end,
      -- Whoever tries whether the API is up again tries alone.
      held_until = case when count > 0 and turns.trips > 0 then now + interval '15 seconds' else held_until end,
      in_flight = case when ${wanted}::int + ${inFlight}::int = 0 then in_flight - ${instance}::text
        else jsonb_set(in_flight, array[${instance}::text], jsonb_build_array(
          greatest(${inFlight}::int, at_once), extract(epoch from now) + ${claimSeconds}::float8)) end
    from turns where organisation = ${key}
    returning count, at_once, extract(epoch from start - now)::float8 * 1000 as wait_ms,
      (step * 1000)::float8 as step_ms, instances > 0 as shared, turns.trips > 0 as down`.execute(db)
  const [row] = rows
  if (row) {
    const { count, at_once: granted, wait_ms: waitMs, step_ms: stepMs, shared, down } = row
    return { count, atOnce: granted, waitMs, stepMs, shared, down }
  }
  await db
    .insertInto('api_pace')
    .values({ organisation: key, slow_rate: null, slowed_at: null, held_until: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return leaseTurns(db, organisation, limits, ask)
}

/** The API said 429: a quarter off the rate, and nothing at all for `holdMs`. Many within a second count once. */
export const slowDown = async (
  db: Handle,
  organisation: Organisation,
  { maxPerSecond }: PaceLimits,
  holdMs: number,
): Promise<void> => {
  await sql`
    update api_pace set
      slow_rate = case when slowed_at > clock_timestamp() - interval '1 second' then slow_rate
        else greatest(${rateNow(maxPerSecond)} * 0.75, ${maxPerSecond}::float8 / 50) end,
      slowed_at = clock_timestamp(),
      held_until = greatest(held_until, clock_timestamp() + ${holdMs}::float8 * interval '1 millisecond')
    where organisation = ${organisationKey(organisation)}`.execute(db)
}

/** The API is down: it is left alone for 2 s, and longer each time that it still is, up to 2 minutes. */
export const tripBreaker = async (db: Handle, organisation: Organisation): Promise<void> => {
  await sql`
    update api_pace set
      trips = trips + 1,
      held_until = clock_timestamp()
        + least(${mostTripSeconds}::float8, ${firstTripSeconds}::float8 * 2 ^ least(trips, 10)) * (0.75 + random() / 2) * interval '1 second'
    where organisation = ${organisationKey(organisation)}
      and (trips = 0 or held_until is null or held_until < clock_timestamp() + interval '15 seconds')`.execute(
    db,
  )
}

/** The API answers again. */
export const resetBreaker = async (db: Handle, organisation: Organisation): Promise<void> => {
  await db
    .updateTable('api_pace')
    .set({ trips: 0, held_until: null })
    .where('organisation', '=', organisationKey(organisation))
    .where('trips', '>', 0)
    .execute()
}

/** An organisation whose calls are slower than they may be. `down`: the API is taken for down. */
export type SlowPace = {
  /** By organisationKey(). */
  readonly organisation: string
  readonly perSecond: number
  /** Nothing at all is asked for so long; 0: calls are made. */
  readonly heldSeconds: number
  readonly down: boolean
}

/** Who is slowed down just now, or whose API does not answer; not whoever goes at full pace. */
export const slowPaces = async (
  db: Handle,
  organisations: readonly string[],
  { maxPerSecond }: Pick<PaceLimits, 'maxPerSecond'>,
): Promise<SlowPace[]> => {
  const { rows } = await sql<SlowPace>`
    select * from (
      select organisation, ${rateNow(maxPerSecond)} as "perSecond", trips > 0 as down,
        greatest(0, coalesce(extract(epoch from held_until - clock_timestamp()), 0))::float8 as "heldSeconds"
      from api_pace where organisation = any(${organisations})
    ) pace
    where down or "heldSeconds" > 0 or "perSecond" < ${maxPerSecond}::float8
    order by organisation`.execute(db)
  return rows
}
