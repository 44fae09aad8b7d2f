import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import manifest from '../package.json' with { type: 'json' }
import { atEnd } from './ending.ts'

/** For node itself, as npm start has them. */
export const startFlags = manifest.scripts.start.split(' ').filter((word) => word.startsWith('--'))

/** What a process can be asked to do. Arguments and results travel as structured clones. */
// oxlint-disable-next-line typescript/no-explicit-any -- any function is welcome; callers see its own types
export type Handlers = Readonly<Record<string, (...parameters: any[]) => unknown>>

/** The same, as the other process sees it. */
export type Remote<H extends Handlers> = {
  readonly [Name in keyof H]: (...parameters: Parameters<H[Name]>) => Promise<Awaited<ReturnType<H[Name]>>>
}

type Question = { readonly id: number; readonly name: string; readonly parameters: readonly unknown[] }
type Answer = { readonly id: number; readonly result?: unknown; readonly error?: string }

/** In a forked process: answers until whoever forked it is gone, and then ends. */
export const serve = (handlers: Handlers): void => {
  process.on('disconnect', () => process.exit())
  // A Ctrl-C goes to the whole group; whoever forked this ends it in order.
  process.on('SIGINT', () => {})
  const answer = async ({ id, name, parameters }: Question): Promise<void> => {
    try {
      process.send?.({ id, result: await handlers[name]?.(...parameters) } satisfies Answer)
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      process.send?.({ id, error: reason } satisfies Answer)
    }
  }
  process.on('message', (question: Question) => void answer(question))
}

/** A process of this directory's `entry`; `end` closes it, and it never outlives the run. */
export type Forked<H extends Handlers> = {
  readonly ask: Remote<H>
  readonly child: ChildProcess
  readonly end: () => Promise<void>
}

/** Forks `entry`, which serves `H`. What it prints on stdout is thrown away. */
export const forkProcess = <H extends Handlers>(entry: string): Forked<H> => {
  const child = fork(resolve(import.meta.dirname, entry), {
    serialization: 'advanced',
    execArgv: [...startFlags],
    stdio: ['ignore', process.env['BENCH_LOG'] ? 'inherit' : 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let count = 0
  child.on('message', ({ id, result, error }: Answer) => {
    const question = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) question?.resolve(result)
    else question?.reject(new Error(`${entry}: ${error}`))
  })
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${entry} ended with ${code}`))
  })
  const ask = async (name: string, parameters: readonly unknown[]): Promise<unknown> => {
    const id = (count += 1)
    const question = Promise.withResolvers<unknown>()
    waiting.set(id, question)
    child.send({ id, name, parameters } satisfies Question)
    return question.promise
  }
  const end = async (): Promise<void> => {
    if (child.connected) child.disconnect()
    await ended
  }
  atEnd(end)
  return {
    child,
    end,
    ask: new Proxy({} as Remote<H>, {
      get:
        (_target, name) =>
        async (...parameters: unknown[]) =>
          ask(String(name), parameters),
    }),
  }
}
