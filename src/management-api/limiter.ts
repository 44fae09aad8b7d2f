/** Whose turn comes first. A token goes before all, since everything waits for it; what waited for it is next. */
export const priorities = { token: 4, retried: 3, interactive: 2, list: 1, background: 0 } as const

/**
 * Turns of one organisation, which all instances share. Times are milliseconds from now.
 */
export type Pace = {
  /**
   * Takes up to `wanted` turns: `count` calls, the first in `waitMs`, each next one `stepMs` later. `down` while the
   * API is taken for down; `shared` when others take turns, too.
   * @param ask.inFlight calls under way, or begun before this is answered; `atOnce` how many there would be at most
   * @returns `atOnce`: how many there may be from now on
   */
  lease(ask: { readonly wanted: number; readonly inFlight: number; readonly atOnce: number }): Promise<{
    readonly count: number
    readonly atOnce: number
    readonly waitMs: number
    readonly stepMs: number
    readonly shared: boolean
    readonly down: boolean
  }>
  /** The API answered 429: slower from now on, and nothing for so long. */
  slowDown(holdMs: number): Promise<void>
  /** The API is down: leave it alone for a while, longer each time. */
  trip(): Promise<void>
  /** It answers again. */
  reset(): Promise<void>
}

/** Why there is no turn: the API is down, or wants to be left alone for longer than a call waits. */
export type Refusal = 'down' | 'asked to wait'

/** A turn: `end` it when the call is over, and say how the API took it. */
export type Turn = {
  end(took: 'answered' | 'failed' | { readonly slowDownMs: number } | 'given up'): void
}

export type Limiter = {
  /** Waits for a turn. Rejects with the signal's reason when that aborts first, or with what the pace throws. */
  turn(options: { priority: number; signal?: AbortSignal | undefined }): Promise<Turn | Refusal>
}

/** A call does not wait longer for its turn because the API asked for it. */
const longestHoldMs = 30_000
/** So many failures with nothing between them, and the API counts as down. */
const failuresInARow = 5
/** No second has more calls than the limit, counted where they arrive. */
const secondMs = 1005
/** A call that took longer than others may have arrived late, by so much at most: the rest was the answer. */
const mostDelayMs = 150
/** The quickest calls tell how much of a call comes after its arrival; a part is left to the way there. */
const shareAfterArrival = 0.8
/** Calls in flight that an instance asks for at least; more where they take long. */
const leastAtOnce = 4
/** Turns are taken when those at hand end within this, so that other instances get theirs. */
const aheadMs = 600
/** A turn that is later than this is given up where others take turns: it would meet theirs. */
const mostLateMs = 50
/** When others use what there is, it is asked again after this. */
const crowdedMs = 100
/** Turns that come later than this are not handed out yet: they would count as calls in flight. */
const soonMs = 1000
/** What is kept of turns is given back when nobody has wanted one for so long. */
const idleMs = 500

/** A call by performance.now(); `ended` is NaN while it is under way. */
type Call = { readonly began: number; ended: number }

type Waiter = {
  readonly priority: number
  readonly resolve: (turn: Turn | Refusal) => void
  readonly reject: (error: unknown) => void
}

/**
 * Hands out turns to whoever waits, the highest priority first, as `pace` grants them. Turns are taken a little ahead
 * so that none is lost to the way to the database.
 */
export const createLimiter = (pace: Pace, maxPerSecond: number): Limiter => {
  const waiting: Waiter[] = []
  /** When each turn that was taken may be used, by performance.now(). */
  let slots: number[] = []
  /** The latest calls, as many as a second may have. */
  let calls: Call[] = []
  let [inFlight, atOnce, failures] = [0, 0, 0]
  /** Calls that may be in flight until a lease is answered, as it was told so. */
  let mostWhileLeasing = Infinity
  /** How long calls take, the later ones counting more, and the quickest ones. */
  let [latencyMs, quickestMs] = [100, Infinity]
  let leasing = false
  let [down, shared, trippedAt] = [false, false, 0]
  /** What the API's last answers mean is known to all before another turn is taken. */
  let settled: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const later = (milliseconds: number): void => {
    clearTimeout(timer)
    timer = setTimeout(work, Math.max(0, milliseconds))
    if (waiting.length === 0) timer.unref()
  }

  const refuse = (reason: Refusal): void => {
    for (const { resolve } of waiting.splice(0)) resolve(reason)
  }

  const lease = async (wanted: number): Promise<void> => {
    leasing = true
    try {
      await settled
      const usual = (maxPerSecond * latencyMs) / 1000
      const needed = Math.max(leastAtOnce, Math.ceil(2 * usual))
      mostWhileLeasing = wanted === 0 ? inFlight : Math.max(inFlight, Math.min(atOnce, Math.ceil(usual)))
      const granted = await pace.lease({
        wanted,
        inFlight: mostWhileLeasing,
        atOnce: wanted + inFlight === 0 ? 0 : needed,
      })
      mostWhileLeasing = Infinity
      const now = performance.now()
      ;({ down, atOnce, shared } = granted)
      if (granted.count > 0) {
        for (let turn = 0; turn < granted.count; turn += 1)
          slots.push(now + granted.waitMs + turn * granted.stepMs)
      } else if (granted.down && wanted > 0) refuse('down')
      leasing = false
      if (granted.count > 0) work()
      else if (granted.waitMs > longestHoldMs) refuse('asked to wait')
      else if (waiting.length > 0) later(Math.max(crowdedMs, granted.waitMs - soonMs))
    } catch (error) {
      ;[leasing, mostWhileLeasing] = [false, Infinity]
      for (const { reject } of waiting.splice(0)) reject(error)
    }
  }

  const next = (): Waiter | undefined => {
    const best = waiting.reduce((found, waiter, index) => {
      return waiter.priority > (waiting[found]?.priority ?? -1) ? index : found
    }, 0)
    return waiting.splice(best, 1)[0]
  }

  const note = (took: Parameters<Turn['end']>[0], began: number): void => {
    if (took === 'given up') return
    if (took === 'answered') {
      failures = 0
      if (down) settled = pace.reset().catch(() => {})
      down = false
    } else if (took === 'failed') {
      // What was under way when the API was found down tells nothing new.
      if (began < trippedAt) return
      failures += 1
      if (failures < failuresInARow && !down) return
      ;[failures, trippedAt, down, slots] = [0, performance.now(), true, []]
      settled = pace.trip().catch(() => {})
    } else {
      slots = []
      settled = pace.slowDown(took.slowDownMs).catch(() => {})
    }
  }

  const start = (): Turn => {
    const call: Call = { began: performance.now(), ended: NaN }
    inFlight += 1
    calls.push(call)
    if (calls.length > maxPerSecond) calls = calls.slice(-maxPerSecond)
    return {
      end: (took) => {
        if (!Number.isNaN(call.ended)) return
        call.ended = performance.now()
        inFlight -= 1
        const tookMs = call.ended - call.began
        latencyMs += (tookMs - latencyMs) / 10
        quickestMs = Math.min(tookMs, quickestMs * 1.01)
        note(took, call.began)
        work()
      },
    }
  }

  const isReady = (): boolean =>
    waiting.length > 0 && slots.length > 0 && inFlight < Math.min(atOnce, mostWhileLeasing)

  /** When a call had arrived at the latest. */
  const arrivedBy = ({ began, ended }: Call): number => {
    const latest = began + mostDelayMs
    if (Number.isNaN(ended) || quickestMs === Infinity) return latest
    return Math.min(latest, Math.max(began, ended - shareAfterArrival * quickestMs))
  }

  /** A second after the call that would else make one too many. */
  const earliest = (): number => {
    const [first] = calls
    return first && calls.length >= maxPerSecond ? arrivedBy(first) + secondMs : 0
  }

  const work = (): void => {
    const now = performance.now()
    if (shared) slots = slots.filter((at) => now - at < mostLateMs)
    while (isReady()) {
      const at = Math.max(slots[0] ?? 0, earliest())
      if (at - now > longestHoldMs) return refuse('asked to wait')
      if (at > now) {
        later(at - now)
        break
      }
      slots.shift()
      next()?.resolve(start())
    }
    if (leasing) return
    const isShort = slots.length < 2 || (slots.at(-1) ?? 0) - now < aheadMs
    if (waiting.length > slots.length && isShort) void lease(waiting.length - slots.length)
    else if (waiting.length === 0 && inFlight === 0) {
      clearTimeout(timer)
      timer = setTimeout(giveBack, idleMs).unref()
    }
  }

  const giveBack = (): void => {
    if (waiting.length > 0 || inFlight > 0 || leasing) return
    slots = []
    void lease(0)
  }

  return {
    turn: ({ priority, signal }) => {
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<Turn | Refusal>()
      const waiter: Waiter = { priority, resolve, reject }
      const stop = (): void => {
        const position = waiting.indexOf(waiter)
        if (position !== -1) waiting.splice(position, 1)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', stop, { once: true })
      waiting.push(waiter)
      work()
      return promise.finally(() => signal?.removeEventListener('abort', stop))
    },
  }
}
