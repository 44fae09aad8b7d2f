import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'

const answers: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The address, or the cookies with it, are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive.'],
}

/** Answers requests that Node's HTTP parser rejects, and CONNECT, with a status and plain text. */
export function answerMalformed(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answer(socket, error.code ?? ''))
  // Node would close the connection without an answer.
  server.on('connect', (_request, socket) => answer(socket, 'CONNECT'))
}

function answer(socket: Duplex, code: string): void {
  if (code === 'ECONNRESET' || !socket.writable) return
  const [status, text] = answers[code] ?? ['400 Bad Request', 'This is not a request we understand.']
  const body = `${text}\n`
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
