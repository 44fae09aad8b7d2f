type Task = () => Promise<void> | void

const tasks: Task[] = []
let ending: Promise<void> | undefined

/** What must happen before the run is over, however it ends; the last comes first. */
export const atEnd = (task: Task): void => {
  tasks.push(task)
}

const endAll = async (): Promise<void> => {
  for (let task = tasks.pop(); task; task = tasks.pop()) {
    try {
      await task()
    } catch (error) {
      console.error(error)
    }
  }
}

/** Does all of it, once. */
export const endEverything = async (): Promise<void> => (ending ??= endAll())

/** Ctrl-C and SIGTERM end the run in order as well. */
export const endOnSignals = (): void => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => void endEverything().finally(() => process.exit(code)))
}
