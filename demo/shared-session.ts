import type { PGlite } from '@electric-sql/pglite'

type Send = (bytes: Uint8Array) => void
type Client = { readonly send: Send; readonly settings: string; parts: Uint8Array[] }
/** Messages that are executed together. */
type Exchange = {
  readonly client: number
  readonly bytes: Buffer
  /** False after a Flush: more belongs to it. */
  readonly isOver: boolean
  readonly resolve: (size: number) => void
  readonly reject: (error: unknown) => void
}

/** First bytes of the protocol's messages. A start-up message has none: it begins with its length. */
const type = { startup: 0, notification: 0x41, query: 0x51, sync: 0x53, terminate: 0x58 } as const
/** Parse, Bind, Describe, Execute and Close are executed with the Sync or Flush that follows. */
const parts = new Set(Buffer.from('PBDEC'))

/**
 * Lets many connections share the one session that PGlite has. What a connection sends up to a Sync is executed in one
 * go, and it keeps the session until its transaction ends; the others wait. The settings of its start-up message
 * (`options`, too) are its own. What it sets later, names of prepared statements, and session-level advisory locks
 * belong to all.
 *
 * It stands in for the queue of pglite-socket, which executes one message after the other, from any connection: a Bind
 * may meet another connection's Parse there, and PGlite's timers interrupt a query between its messages.
 */
export class SharedSession {
  readonly #database: PGlite
  readonly #welcome: Uint8Array
  readonly #clients = new Map<number, Client>()
  readonly #waiting: Exchange[] = []
  #holder: number | undefined
  #isBusy = false
  #applied = ''
  #hasListener = false

  private constructor(database: PGlite, welcome: Uint8Array) {
    this.#database = database
    this.#welcome = welcome
  }

  static async open(database: PGlite): Promise<SharedSession> {
    return new SharedSession(database, await database.execProtocolRaw(plainStartup()))
  }

  /** Takes one message. Resolves when it has been answered through `send`, or has to wait for more of them. */
  async enqueue(id: number, message: Uint8Array, send: Send): Promise<number> {
    const [first = 0] = message
    if (first === type.terminate) return 0
    if (first === type.startup) {
      this.#clients.set(id, { send, settings: settingsOf(message), parts: [] })
      send(this.#welcome)
      return this.#welcome.length
    }
    const client = this.#clients.get(id)
    if (!client) throw new Error('a message before the start-up message')
    client.parts.push(message)
    if (parts.has(first)) return 0
    const bytes = Buffer.concat(client.parts.splice(0))
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#waiting.push({
      client: id,
      bytes,
      isOver: first === type.query || first === type.sync,
      resolve,
      reject,
    })
    void this.#work()
    return promise
  }

  /** Forgets what a connection that has ended still waits for. */
  clearQueueForHandler(client: number): void {
    this.#clients.delete(client)
    for (const exchange of this.#waiting.filter((waiting) => waiting.client === client)) {
      this.#waiting.splice(this.#waiting.indexOf(exchange), 1)
      exchange.reject(new Error('the connection has ended'))
    }
  }

  /** Rolls back what a connection that has ended was at. */
  async clearTransactionIfNeeded(client: number): Promise<void> {
    if (this.#holder !== client || this.#isBusy) return
    await this.#release()
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    for (let exchange = this.#next(); exchange; exchange = this.#next()) {
      await this.#execute(exchange).then(exchange.resolve, exchange.reject)
      if (!this.#clients.has(exchange.client)) await this.#release()
    }
    this.#isBusy = false
  }

  #next(): Exchange | undefined {
    const holder = this.#holder
    const index = holder === undefined ? 0 : this.#waiting.findIndex(({ client }) => client === holder)
    return index === -1 ? undefined : this.#waiting.splice(index, 1)[0]
  }

  async #execute({ client: id, bytes, isOver }: Exchange): Promise<number> {
    const client = this.#clients.get(id)
    if (!client) return 0
    if (this.#holder === undefined && client.settings !== this.#applied) {
      await this.#database.exec(client.settings)
      this.#applied = client.settings
    }
    this.#holder = id
    this.#hasListener ||= bytes[0] === type.query && /^.{5}\s*listen\s/is.test(bytes.toString())
    const notifications = this.#hasListener ? notificationsIn() : () => []
    let size = 0
    await this.#database.execProtocolRawStream(bytes, {
      onRawData: (data) => {
        size += data.length
        client.send(data)
        for (const notification of notifications(data)) this.#tellOthers(id, notification)
      },
    })
    if (isOver && !this.#database.isInTransaction()) this.#holder = undefined
    return size
  }

  #tellOthers(sender: number, notification: Uint8Array): void {
    for (const [id, { send }] of this.#clients) if (id !== sender) send(notification)
  }

  async #release(): Promise<void> {
    if (this.#holder === undefined) return
    await this.#database.execProtocolRaw(Uint8Array.of(type.sync, 0, 0, 0, 4))
    if (this.#database.isInTransaction()) await this.#database.exec('rollback')
    this.#holder = undefined
  }
}

/** The start-up message of a connection that asks for no settings. */
function plainStartup(): Buffer {
  const message = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0database\0postgres\0\0')
  message.writeInt32BE(message.length)
  return message
}

/** SQL that gives the session what a start-up message asks for, and nothing of what another one did. */
function settingsOf(startup: Uint8Array): string {
  const words = Buffer.from(startup.subarray(8)).toString().split('\0')
  const parameters = new Map<string, string>()
  for (let at = 0; words[at]; at += 2) parameters.set(words[at] ?? '', words[at + 1] ?? '')
  const options = (parameters.get('options') ?? '').matchAll(/(?:-c\s*|--)([\w.]+)=((?:\\.|[^\s\\])+)/g)
  const settings = [...options].map(([, name = '', value = '']) => [name, value.replaceAll(/\\(.)/g, '$1')])
  for (const name of ['user', 'database', 'options', 'replication', 'client_encoding']) parameters.delete(name)
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
  const sets = [...settings, ...parameters].map(
    ([name = '', value = '']) => `select set_config(${quoted(name)}, ${quoted(value)}, false);`,
  )
  return `reset all; ${sets.join(' ')}`
}

/** Finds the notifications in what the server sends, which comes in pieces: PGlite gives them to who runs a statement. */
function notificationsIn() {
  let rest = Buffer.alloc(0)
  return (data: Uint8Array): Buffer[] => {
    rest = Buffer.concat([rest, data])
    const found: Buffer[] = []
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1)
      if (rest[0] === type.notification) found.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return found
  }
}
