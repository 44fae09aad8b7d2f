import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { z } from 'zod'
import type { Logger } from '../logger.ts'
import type { CommandResult } from './commands.ts'

const longestPath = 100
const largestRequest = 64 * 1024
const callTimeoutMs = 30_000

const requestSchema = z.strictObject({ argv: z.array(z.string()) })
const resultSchema = z.object({ exitCode: z.int(), output: z.string(), error: z.string() })

type Run = (argv: readonly string[]) => Promise<CommandResult>

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** @returns undefined when it is too large or not what callOperatorSocket() sends */
const readArguments = async (req: IncomingMessage): Promise<readonly string[] | undefined> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= largestRequest) chunks.push(chunk)
  }
  if (size > largestRequest) return undefined
  try {
    return requestSchema.parse(JSON.parse(Buffer.concat(chunks).toString())).argv
  } catch {
    return undefined
  }
}

const answer = async (req: IncomingMessage, res: ServerResponse, run: Run, logger: Logger): Promise<void> => {
  const argv = req.method === 'POST' && req.url === '/' ? await readArguments(req) : undefined
  if (!argv) return void res.writeHead(400).end()
  const result = await run(argv).catch((err: unknown): CommandResult => {
    logger.error({ err, command: argv[0] }, "an operator's command failed")
    return { exitCode: 1, output: '', error: 'the portal could not do it; its log says why' }
  })
  logger.info({ command: argv[0], exitCode: result.exitCode }, "an operator's command")
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
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
  const server = createServer((req, res) => {
    void answer(req, res, run, logger).catch(() => res.destroy())
  })
  server.requestTimeout = callTimeoutMs
  await listenPrivately(server, path)
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      server.closeIdleConnections()
      await closed
    },
  }
}

const call = async (path: string, argv: readonly string[]): Promise<IncomingMessage> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const signal = AbortSignal.timeout(callTimeoutMs)
  request({ socketPath: path, path: '/', method: 'POST', agent: false, signal }, resolve)
    .once('error', reject)
    .end(JSON.stringify({ argv }))
  return promise
}

/**
 * Has the portal that runs on this DATA_DIR do a command.
 *
 * @returns undefined when none runs
 * @throws Error when it refuses the call, or does not answer within 30 s
 */
export const callOperatorSocket = async (
  path: string,
  argv: readonly string[],
): Promise<CommandResult | undefined> => {
  if (Buffer.byteLength(path) > longestPath) return undefined
  try {
    const response = await call(path, argv)
    if (response.statusCode !== 200) {
      response.resume()
      throw new Error(`the running portal refused the command with status ${response.statusCode}`)
    }
    return resultSchema.parse(await json(response))
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) return undefined
    throw error
  }
}
