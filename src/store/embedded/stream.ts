import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { DatabaseUnavailableError } from '../../errors.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './worker.ts'

type Written = (error?: Error | null) => void

const startupProtocol = 3

/** AuthenticationOk and ReadyForQuery (idle): what a server that trusts us answers to a start-up message. */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/** Protocol 3.0's start-up is the only message that has its version where others have a type and a length. */
const isStartup = (bytes: Buffer): boolean =>
  bytes.length >= 8 && bytes.readUInt16BE(4) === startupProtocol && bytes[0] === 0

const isTerminate = (bytes: Buffer): boolean => bytes.length === 5 && bytes[0] === 0x58

/**
 * The socket between `pg`'s Client and PGlite in its worker thread: both speak PostgreSQL's own protocol, so that
 * types, results and errors are `pg`'s without any translation. One message is in flight at a time. Ending it
 * closes PGlite and the worker; a worker that dies destroys it with a DatabaseUnavailableError.
 */
export class WorkerStream extends Duplex {
  readonly #worker: Worker
  #written: Written | undefined

  constructor(settings: WorkerSettings) {
    super({ emitClose: true })
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { execArgv: [], workerData: settings })
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#worker.on('error', (cause) => this.destroy(this.#stopped(cause.message, cause)))
    this.#worker.on('exit', (code) => this.destroy(this.#stopped(`its thread ended with code ${code}`)))
  }

  #stopped(reason: string, cause?: unknown): Error {
    return new DatabaseUnavailableError(`the embedded database has stopped: ${reason}`, { cause })
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.emit('connect')
        break
      case 'answer':
        this.push(Buffer.from(message.bytes.buffer))
        this.#settle()
        break
      case 'closed':
        this.push(null)
        this.#settle()
        break
      case 'failed':
        this.destroy(this.#stopped(message.reason))
    }
  }

  #settle(): void {
    const written = this.#written
    this.#written = undefined
    written?.()
  }

  #send(message: ToWorker, written: Written): void {
    this.#written = written
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's postMessage
    this.#worker.postMessage(message)
  }

  #write(bytes: Buffer, written: Written): void {
    if (isTerminate(bytes)) return written()
    if (!isStartup(bytes)) return this.#send(bytes, written)
    this.push(welcome)
    written()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, written: Written): void {
    this.#write(bytes, written)
  }

  /** `pg` corks the messages of one query: they travel, and are answered, together. */
  override _writev(chunks: { chunk: Buffer }[], written: Written): void {
    this.#write(Buffer.concat(chunks.map(({ chunk }) => chunk)), written)
  }

  override _read(): void {
    // Answers are pushed when they come; their size is bounded by the query.
  }

  override _final(written: Written): void {
    this.#send('close', written)
  }

  override async _destroy(error: Error | null, done: Written): Promise<void> {
    this.#written = undefined
    this.#worker.removeAllListeners('exit')
    await this.#worker.terminate()
    done(error)
  }

  // The rest of net.Socket that pg's Connection calls.
  connect(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}
