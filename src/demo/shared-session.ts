import type { PGlite } from '@electric-sql/pglite'

type Send = (bytes: Uint8Array) => void
type Client = { send: Send; settings: string }
type Message = {
  readonly client: number
  readonly bytes: Uint8Array
  readonly resolve: (size: number) => void
  readonly reject: (error: unknown) => void
}

/** First bytes of the protocol's messages. A start-up message has none: it begins with its length. */
const type = { startup: 0x00, query: 0x51, sync: 0x53, terminate: 0x58, notification: 0x41 } as const
const syncMessage = Uint8Array.of(type.sync, 0, 0, 0, 4)

/** The start-up message of a client that asks for no settings. */
function plainStartup(): Buffer {
  const body = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0database\0postgres\0\0')
  body.writeInt32BE(body.length)
  return body
}

/**
 * Lets many connections share the one session that PGlite has. A connection keeps the session from its first message
 * to its Sync, and until its transaction ends; the others wait. The settings of its start-up message (`options`, too)
 * are its own. What it sets later, names of prepared statements, and session-level advisory locks belong to all.
 *
 * It stands in for the queue of pglite-socket, which hands the session over between any two messages: a Bind may meet
 * another connection's Parse there.
 */
export class SharedSession {
  readonly #database: PGlite
  readonly #welcome: Uint8Array
  readonly #clients = new Map<number, Client>()
  readonly #waiting: Message[] = []
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

  /** Has one message answered through `send` when it is its turn. */
  async enqueue(client: number, bytes: Uint8Array, send: Send): Promise<number> {
    if (bytes[0] === type.terminate) return 0
    if (bytes[0] === type.startup) {
      this.#clients.set(client, { send, settings: settingsOf(bytes) })
      send(this.#welcome)
      return this.#welcome.length
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#waiting.push({ client, bytes, resolve, reject })
    void this.#work()
    return promise
  }

  /** Forgets what a connection that has ended still waits for. */
  clearQueueForHandler(client: number): void {
    this.#clients.delete(client)
    const own = this.#waiting.filter((message) => message.client === client)
    for (const message of own) {
      this.#waiting.splice(this.#waiting.indexOf(message), 1)
      message.reject(new Error('the connection has ended'))
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
    for (let message = this.#next(); message; message = this.#next()) {
      const { client, bytes, resolve, reject } = message
      try {
        resolve(await this.#execute(client, bytes))
      } catch (error) {
        reject(error)
      }
      if (!this.#clients.has(client)) await this.#release()
    }
    this.#isBusy = false
  }

  #next(): Message | undefined {
    const holder = this.#holder
    const index = holder === undefined ? 0 : this.#waiting.findIndex((message) => message.client === holder)
    return index === -1 ? undefined : this.#waiting.splice(index, 1)[0]
  }

  async #execute(id: number, bytes: Uint8Array): Promise<number> {
    const client = this.#clients.get(id)
    if (!client) throw new Error('a message before the start-up message')
    if (this.#holder === undefined && client.settings !== this.#applied) {
      await this.#database.exec(client.settings)
      this.#applied = client.settings
    }
    this.#holder = id
    this.#hasListener ||= bytes[0] === type.query && /^.{5}\s*listen\s/is.test(Buffer.from(bytes).toString())
    const notifications = this.#hasListener ? notificationsIn() : () => []
    let size = 0
    await this.#database.execProtocolRawStream(bytes, {
      onRawData: (data) => {
        size += data.length
        client.send(data)
        for (const notification of notifications(data)) this.#tellOthers(id, notification)
      },
    })
    const isOver = bytes[0] === type.query || bytes[0] === type.sync
    if (isOver && !this.#database.isInTransaction()) this.#holder = undefined
    return size
  }

  #tellOthers(sender: number, notification: Uint8Array): void {
    for (const [id, { send }] of this.#clients) if (id !== sender) send(notification)
  }

  async #release(): Promise<void> {
    if (this.#holder === undefined) return
    await this.#database.execProtocolRaw(syncMessage)
    if (this.#database.isInTransaction()) await this.#database.exec('rollback')
    this.#holder = undefined
  }
}

/** SQL that gives the session what a start-up message asks for, and nothing of what another one did. */
function settingsOf(startup: Uint8Array): string {
  const words = Buffer.from(startup.subarray(8)).toString().split('\0')
  const parameters = new Map<string, string>()
  for (let at = 0; words[at]; at += 2) parameters.set(words[at] ?? '', words[at + 1] ?? '')
  const options = (parameters.get('options') ?? '').matchAll(/(?:-c\s*|--)([\w.]+)=((?:\\.|[^\s\\])+)/g)
  const settings = [...options].map(([, name = '', value = '']) => [name, value.replaceAll(/\\(.)/g, '$1')])
  for (const name of ['user', 'database', 'options', 'replication', 'client_encoding'])
    parameters.delete(name)
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
