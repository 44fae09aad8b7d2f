import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommandCall } from '../../src/cli/command.ts'
import { callOperatorSocket, serveOperatorSocket } from '../../src/cli/operator-socket.ts'
import { createLogger } from '../../src/logger.ts'

const call = (to: string, argv: readonly string[]) =>
  callOperatorSocket(to, argv, { tell: () => {}, signal: new AbortController().signal, operator: 'kim' })
const logger = createLogger('silent')
const echo = async (argv: readonly string[]) => ({ exitCode: 3, output: argv.join('+'), error: 'æ' })

const fails = () => Promise.reject(new Error('password hunter2'))

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'socket-'))
  path = join(directory, 'operator.sock')
})
afterEach(() => rmSync(directory, { recursive: true }))

const send = (method: string, body: string | Buffer): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request({ socketPath: path, method, path: '/', agent: false }, (res) => {
      res.resume()
      resolve(res.statusCode)
    })
      .once('error', reject)
      .end(body)
  })

describe("the operator's socket", () => {
  it('carries a command to the portal and its result back', async () => {
    const server = await serveOperatorSocket(path, echo, logger)
    expect(await call(path, ['grant', 'ø', ''])).toEqual({
      exitCode: 3,
      output: 'grant+ø+',
      error: 'æ',
    })
    await server.close()
    expect(await call(path, ['users'])).toBeUndefined()
  })

  it('says who called, and carries the file that the call names', async () => {
    const says = async (_argv: readonly string[], { operator, input }: CommandCall) => ({
      exitCode: 0,
      output: `${operator} ${input?.length} ${input?.slice(-3)}`,
      error: '',
    })
    const server = await serveOperatorSocket(path, says, logger)
    const input = `${'æ'.repeat(1_000_000)}end`
    const signal = new AbortController().signal
    const result = await callOperatorSocket(path, ['import'], {
      tell: () => {},
      signal,
      operator: 'kim',
      input,
    })
    expect(result?.output).toBe('kim 1000003 end')
    await server.close()
  })

  it('is open to its owner only, and leaves the umask as it was', async () => {
    const before = process.umask()
    const server = await serveOperatorSocket(path, echo, logger)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(process.umask()).toBe(before)
    await server.close()
  })

  it('answers malformed and oversized requests with 400, and goes on', async () => {
    const server = await serveOperatorSocket(path, echo, logger)
    const big = 'x'.repeat(17 * 1024 * 1024)
    expect(await send('POST', '{')).toBe(400)
    expect(await send('POST', '{"argv":["users"]}')).toBe(400)
    expect(await send('POST', '{"argv":"users"}')).toBe(400)
    expect(await send('POST', '{"argv":[1]}')).toBe(400)
    expect(await send('GET', '')).toBe(400)
    expect(await send('POST', JSON.stringify({ argv: [big], operator: 'kim' }))).toBe(400)
    await expect(call(path, [big])).rejects.toThrow('status 400')
    expect(await call(path, ['users'])).toMatchObject({ exitCode: 3 })
    await server.close()
  })

  it('tells that a command failed without saying why', async () => {
    const server = await serveOperatorSocket(path, fails, logger)
    const result = await call(path, ['users'])
    expect(result).toEqual({ exitCode: 1, output: '', error: 'the portal could not do it; its log says why' })
    await server.close()
  })

  it('replaces a socket that nobody listens on', async () => {
    const dies = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', dies])
    expect(statSync(path).isSocket()).toBe(true)
    expect(await call(path, ['a'])).toBeUndefined()
    const stale = await serveOperatorSocket(path, echo, logger)
    expect(await call(path, ['a'])).toMatchObject({ output: 'a' })
    await stale.close()
  })

  it('is not called when nobody listens', async () => {
    expect(await call(path, ['users'])).toBeUndefined()
  })

  it('never removes a file that is not a socket', async () => {
    writeFileSync(path, 'precious')
    await expect(serveOperatorSocket(path, echo, logger)).rejects.toThrow('in the way')
    expect(statSync(path).size).toBe(8)
  })

  it('says when its path is too long', async () => {
    const long = join(directory, 'x'.repeat(100))
    await expect(serveOperatorSocket(long, echo, logger)).rejects.toThrow(
      /may have 100: set a shorter DATA_DIR/,
    )
    expect(await call(long, ['users'])).toBeUndefined()
  })
})

describe('a command that takes its time', () => {
  const done = { exitCode: 0, output: 'done', error: '' }
  const untilAborted = async (signal: AbortSignal): Promise<void> => {
    if (!signal.aborted) await once(signal, 'abort')
  }

  it('speaks while it runs, a line at a time and in order', async () => {
    const goOn = Promise.withResolvers<void>()
    const server = await serveOperatorSocket(
      path,
      async (_argv, { tell }) => {
        tell('first: ø')
        await goOn.promise
        tell('second\nline')
        return done
      },
      logger,
    )
    const lines: string[] = []
    const result = callOperatorSocket(path, ['sync'], {
      tell: (line) => {
        lines.push(line)
        // Told before the command is over, or it would never be.
        goOn.resolve()
      },
      signal: new AbortController().signal,
      operator: 'kim',
    })
    expect(await result).toEqual(done)
    expect(lines).toEqual(['first: ø', 'second\nline'])
    await server.close()
  })

  it('is told when the caller goes away', async () => {
    const ended = Promise.withResolvers<void>()
    const server = await serveOperatorSocket(
      path,
      async (_argv, { tell, signal }) => {
        tell('begun')
        await untilAborted(signal)
        ended.resolve()
        return done
      },
      logger,
    )
    const caller = new AbortController()
    const result = callOperatorSocket(path, ['sync'], {
      tell: () => caller.abort(new Error('Ctrl-C')),
      signal: caller.signal,
      operator: 'kim',
    })
    await expect(result).rejects.toThrow('Ctrl-C')
    await ended.promise
    await server.close()
  })

  it('is ended when the portal stops, which does not wait for it', async () => {
    const begun = Promise.withResolvers<void>()
    const waits = async (_argv: readonly string[], { signal }: CommandCall) => {
      begun.resolve()
      await untilAborted(signal)
      return { ...done, exitCode: 1 }
    }
    const server = await serveOperatorSocket(path, waits, logger)
    const result = call(path, ['sync'])
    await begun.promise
    await server.close()
    expect(await result).toMatchObject({ exitCode: 1 })
  })

  it('may say nothing for so long, counted from its last line', async () => {
    const server = await serveOperatorSocket(
      path,
      async (argv, { tell, signal }) => {
        for (let line = 0; line < 4; line += 1) {
          await setTimeout(100)
          tell(String(line))
        }
        if (argv[0] === 'hangs') await untilAborted(signal)
        return done
      },
      logger,
    )
    const quiet = { tell: () => {}, signal: new AbortController().signal, operator: 'kim' }
    expect(await callOperatorSocket(path, ['ends'], quiet, 300)).toEqual(done)
    await expect(callOperatorSocket(path, ['hangs'], quiet, 300)).rejects.toThrow('said nothing for 0.3 s')
    await server.close()
  })
})
