import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Logger } from '../logger.ts'
import type { CommandCall, CommandResult } from './command.ts'

const longestPath = 100
/** A file of grants with tens of thousands of lines fits. */
const largestRequest = 16 * 1024 * 1024
/** A call is taken for dead when nothing has come for so long: not an answer, and not a line either. */
const silenceMs = 30_000

const requestSchema = z.strictObject({
  argv: z.array(z.string()),
  operator: z.string().max(200),
  input: z.string().optional(),
})
type CommandRequest = z.infer<typeof requestSchema>
const resultSchema = z.object({ exitCode: z.int(), output: z.string(), error: z.string() })
/** An answer is lines of JSON: what the command says while it runs, and at last its result. */
const eventSchema = z.union([z.object({ line: z.string() }), z.object({ result: resultSchema })])
type Event = z.infer<typeof eventSchema>

type Run = (argv: readonly string[], call: CommandCall) => Promise<CommandResult>

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** @returns undefined when it is too large or not what callOperatorSocket() sends */
const readRequest = async (req: IncomingMessage): Promise<CommandRequest | undefined> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= largestRequest) chunks.push(chunk)
  }
  if (size > largestRequest) return undefined
  try {
    return requestSchema.parse(JSON.parse(Buffer.concat(chunks).toString()))
  } catch {
    return undefined
  }
}

/** @param stopping ends the command, as does a caller who goes away */
const answer = async (
  req: IncomingMessage,
  res: ServerResponse,
  run: Run,
  logger: Logger,
  stopping: AbortSignal,
): Promise<void> => {
  const asked = req.method === 'POST' && req.url === '/' ? await readRequest(req) : undefined
  if (!asked) return void res.writeHead(400).end()
  const { argv, operator, input } = asked
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  const write = (event: Event) => res.write(`${JSON.stringify(event)}\n`)
  res.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders()
  const call = {
    tell: (line: string) => void write({ line }),
    signal: AbortSignal.any([gone.signal, stopping]),
    operator,
    input,
    drained: async () => {
      if (res.writableNeedDrain) await once(res, 'drain', { signal: gone.signal }).catch(() => {})
    },
  }
  const result = await run(argv, call).catch((err: unknown): CommandResult => {
    logger.error({ err, command: argv[0] }, "an operator's command failed")
    return { exitCode: 1, output: '', error: 'the portal could not do it; its log says why' }
  })
  logger.info({ command: argv[0], exitCode: result.exitCode }, "an operator's command")
  write({ result })
  res.end()
}

/** Never a file that is not a socket. */
const removeStale = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSocket()) throw new Error(`${path} is in the way of the operator's socket`)
  rmSync(path)
}

/** listen() binds at once, so the umask covers the socket's whole life; 077 and not 177, as other threads may mkdir. */
const listenPrivately = async (server: Server, path: string): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).once('listening', resolve)
  const umask = process.umask(0o077)
  try {
    server.listen(path)
  } finally {
    process.umask(umask)
  }
  await promise
  chmodSync(path, 0o600)
}

/**
 * Takes the operator's commands while the portal runs: on a Unix socket that only the portal's own user can open.
 * Whoever calls it must hold the embedded database's lock, as a socket that lies there is taken for a stale one.
 *
 * @param path at most 100 bytes, a limit of the operating system
 * @throws Error when the path is too long, in use by another file, or cannot be created
 */
export const serveOperatorSocket = async (
  path: string,
  run: Run,
  logger: Logger,
): Promise<{ close(): Promise<void> }> => {
  const length = Buffer.byteLength(path)
  if (length > longestPath) {
    throw new Error(
      `the operator's socket ${path} has ${length} bytes, and may have ${longestPath}: set a shorter DATA_DIR`,
    )
  }
  removeStale(path)
  const stopping = new AbortController()
  const server = createServer((req, res) => {
    void answer(req, res, run, logger, stopping.signal).catch(() => res.destroy())
  })
  server.requestTimeout = silenceMs
  await listenPrivately(server, path)
  return {
    close: async () => {
      stopping.abort()
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      server.closeIdleConnections()
      await closed
    },
  }
}

/** The events of an answer, each handed on as soon as it is there. @returns the result, the last of them */
const readEvents = async (
  response: IncomingMessage,
  { tell, drained }: Pick<CommandCall, 'tell' | 'drained'>,
  alive: () => void,
): Promise<CommandResult> => {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    alive()
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = eventSchema.parse(JSON.parse(line))
      if ('result' in event) return event.result
      tell(event.line)
    }
    await drained?.()
  }
  throw new Error('the running portal ended before the command did')
}

const send = async (
  path: string,
  asked: { readonly argv: readonly string[] } & Pick<CommandRequest, 'operator' | 'input'>,
  signal: AbortSignal,
): Promise<IncomingMessage> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({ socketPath: path, path: '/', method: 'POST', agent: false, signal }, resolve)
    .once('error', reject)
    .end(JSON.stringify(asked))
  return promise
}

/**
 * Has the portal that runs on this DATA_DIR do a command.
 *
 * @param mostSilenceMs how long it may say nothing, neither a line nor its result; 30 s unless told
 * @returns undefined when none runs
 * @throws Error when it refuses the call, or says nothing for too long; the signal's reason when that aborts
 */
export const callOperatorSocket = async (
  path: string,
  argv: readonly string[],
  call: CommandCall,
  mostSilenceMs = silenceMs,
): Promise<CommandResult | undefined> => {
  if (Buffer.byteLength(path) > longestPath) return undefined
  const { signal, operator, input } = call
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(), mostSilenceMs)
  try {
    const response = await send(path, { argv, operator, input }, AbortSignal.any([signal, silence.signal]))
    if (response.statusCode !== 200) {
      response.resume()
      throw new Error(`the running portal refused the command with status ${response.statusCode}`)
    }
    return await readEvents(response, call, () => timer.refresh())
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) return undefined
    signal.throwIfAborted()
    if (silence.signal.aborted)
      throw new Error(`the running portal has said nothing for ${mostSilenceMs / 1000} s`, { cause: error })
    throw error
  } finally {
    clearTimeout(timer)
  }
}
