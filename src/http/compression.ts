import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import compression from 'compression'
import type { NextFunction, Request, Response } from 'express'

/** Below this an answer fits into one packet with its headers, and would only get slower. */
const leastBytes = 1024

const quickly = { [constants.BROTLI_PARAM_QUALITY]: 1 }

const pack = {
  br: (page: Buffer) => brotliCompressSync(page, { params: quickly }),
  gzip: (page: Buffer) => gzipSync(page, { level: constants.Z_BEST_SPEED }),
}

const encodings = ['br', 'gzip'] as const

/**
 * Compresses what is sent in one piece: pages. At once and in this thread: at this level that takes a twentieth of a
 * millisecond, and to hand the page to another thread and back takes longer (decision 0017).
 */
export function compressedPages(req: Request, res: Response, next: NextFunction): void {
  const send = res.send.bind(res)
  res.send = (body: unknown) => {
    if (typeof body !== 'string' || body.length < leastBytes || res.get('Content-Encoding')) return send(body)
    res.vary('Accept-Encoding')
    // Browsers name gzip first, and mean no order by it.
    const encoding = encodings.find((name) => req.acceptsEncodings(name) === name)
    if (!encoding) return send(body)
    if (!res.get('Content-Type')) res.type('html')
    res.set('Content-Encoding', encoding)
    return send(pack[encoding](Buffer.from(body)))
  }
  next()
}

/** Compresses what is streamed: downloads, which would fill the memory otherwise. What is packed already stays as it is. */
export const compressedStreams = compression({
  threshold: leastBytes,
  level: constants.Z_BEST_SPEED,
  brotli: { params: quickly },
})
