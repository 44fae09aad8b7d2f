import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callOperatorSocket, serveOperatorSocket } from '../../src/cli/operator-socket.ts'
import { createLogger } from '../../src/logger.ts'

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
    expect(await callOperatorSocket(path, ['grant', 'ø', ''])).toEqual({
      exitCode: 3,
      output: 'grant+ø+',
      error: 'æ',
    })
    await server.close()
    expect(await callOperatorSocket(path, ['users'])).toBeUndefined()
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
    expect(await send('POST', '{')).toBe(400)
    expect(await send('POST', '{"argv":"users"}')).toBe(400)
    expect(await send('POST', '{"argv":[1]}')).toBe(400)
    expect(await send('GET', '')).toBe(400)
    expect(await send('POST', JSON.stringify({ argv: ['x'.repeat(70_000)] }))).toBe(400)
    await expect(callOperatorSocket(path, ['x'.repeat(70_000)])).rejects.toThrow('status 400')
    expect(await callOperatorSocket(path, ['users'])).toMatchObject({ exitCode: 3 })
    await server.close()
  })

  it('tells that a command failed without saying why', async () => {
    const server = await serveOperatorSocket(path, fails, logger)
    const result = await callOperatorSocket(path, ['users'])
    expect(result).toEqual({ exitCode: 1, output: '', error: 'the portal could not do it; its log says why' })
    await server.close()
  })

  it('replaces a socket that nobody listens on', async () => {
    const dies = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', dies])
    expect(statSync(path).isSocket()).toBe(true)
    expect(await callOperatorSocket(path, ['a'])).toBeUndefined()
    const stale = await serveOperatorSocket(path, echo, logger)
    expect(await callOperatorSocket(path, ['a'])).toMatchObject({ output: 'a' })
    await stale.close()
  })

  it('is not called when nobody listens', async () => {
    expect(await callOperatorSocket(path, ['users'])).toBeUndefined()
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
    expect(await callOperatorSocket(long, ['users'])).toBeUndefined()
  })
})
