import type { PGlite } from '@electric-sql/pglite'

type Send = (bytes: Uint8Array) => void
type Client = { readonly send: Send; readonly settings: string; parts: Uint8Array[] }
/** Messages that are executed together. */
type Exchange = {
  readonly client: number
  readonly bytes: Buffer
  /** False after a Flush: further messages belong to it. */
  readonly isOver: boolean
  readonly resolve: (size: number) => void
  readonly reject: (error: unknown) => void
}

/** The first bytes of protocol messages. A start-up message has none: it begins with its length. */
const type = { startup: 0, notification: 0x41, query: 0x51, sync: 0x53, terminate: 0x58 } as const
/** Parse, Bind, Describe, Execute and Close are executed with the following Sync or Flush. */
const parts = new Set(Buffer.from('PBDEC'))

/**
 * Shares PGlite's only session among many connections. The messages of a connection up to a Sync are executed together,
 * and it holds the session until its transaction ends; the others wait. The settings of its start-up message (including
 * `options`) are its own. Later settings, names of prepared statements and session-level advisory locks are shared.
 * It replaces the queue of pglite-socket, which executes single messages of any connection: a Bind may meet another
 * connection's Parse there, and PGlite's timers interrupt a query between its messages.
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

  /** Opens the session. */
  static async open(database: PGlite): Promise<SharedSession> {
    return new SharedSession(database, await database.execProtocolRaw(plainStartup()))
  }

  /** Takes one message. Resolves when it has been answered through `send`, or waits for further messages. */
  async enqueue(id: number, message: Uint8Array, send: Send): Promise<number> {
    const [first = 0] = message
    if (first === type.terminate) return 0
    if (first === type.startup) {
      this.#clients.set(id, { send, settings: settingsOf(message), parts: [] })
      send(this.#welcome)
      return this.#welcome.length
    }
    const client = this.#clients.get(id)
    if (!client) throw new Error('message before the start-up message')
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
    void this.#run()
    return promise
  }

  /** Drops the waiting messages of a connection that has ended. */
  clearQueueForHandler(client: number): void {
    this.#clients.delete(client)
    for (const exchange of this.#waiting.filter((waiting) => waiting.client === client)) {
      this.#waiting.splice(this.#waiting.indexOf(exchange), 1)
      exchange.reject(new Error('connection ended'))
    }
  }

  /** Rolls back the transaction of a connection that has ended. */
  async clearTransactionIfNeeded(client: number): Promise<void> {
    if (this.#holder !== client || this.#isBusy) return
    await this.#release()
    void this.#run()
  }

  async #run(): Promise<void> {
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
        for (const notification of notifications(data)) this.#notifyOthers(id, notification)
      },
    })
    if (isOver && !this.#database.isInTransaction()) this.#holder = undefined
    return size
  }

  #notifyOthers(sender: number, notification: Uint8Array): void {
    for (const [id, { send }] of this.#clients) if (id !== sender) send(notification)
  }

  async #release(): Promise<void> {
    if (this.#holder === undefined) return
    await this.#database.execProtocolRaw(Uint8Array.of(type.sync, 0, 0, 0, 4))
    if (this.#database.isInTransaction()) await this.#database.exec('rollback')
    this.#holder = undefined
  }
}

/** A start-up message without settings. */
function plainStartup(): Buffer {
  const message = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0database\0postgres\0\0')
  message.writeInt32BE(message.length)
  return message
}

/** SQL that resets the session and applies the settings of a start-up message. */
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

/**
 * Extracts notifications from the server's output, which comes in chunks: PGlite only sends them to the connection that
 * runs a statement.
 */
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
