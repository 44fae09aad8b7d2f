import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import compression from 'compression'
import type { NextFunction, Request, Response } from 'express'

/** Smaller responses fit into one packet with their headers; compressing them only adds time. */
const leastBytes = 1024

const fastBrotli = { [constants.BROTLI_PARAM_QUALITY]: 1 }

const compress = {
  br: (page: Buffer) => brotliCompressSync(page, { params: fastBrotli }),
  gzip: (page: Buffer) => gzipSync(page, { level: constants.Z_BEST_SPEED }),
}

const encodings = ['br', 'gzip'] as const

/**
 * Compresses responses that are sent in one piece, such as pages, synchronously: at this level it takes a twentieth of
 * a millisecond, less than a hand-over to another thread (decision 0017).
 */
export function compressedPages(req: Request, res: Response, next: NextFunction): void {
  const send = res.send.bind(res)
  res.send = (body: unknown) => {
    if (typeof body !== 'string' || body.length < leastBytes || res.get('Content-Encoding')) return send(body)
    res.vary('Accept-Encoding')
    const encoding = acceptedEncoding(req)
    if (!encoding) return send(body)
    if (!res.get('Content-Type')) res.type('html')
    res.set('Content-Encoding', encoding)
    return send(compress[encoding](Buffer.from(body)))
  }
  next()
}

/** The best encoding that the browser accepts: it lists gzip first without meaning a preference. */
export function acceptedEncoding(req: Request): (typeof encodings)[number] | undefined {
  return encodings.find((name) => req.acceptsEncodings(name) === name)
}

/**
 * Compresses streamed responses (downloads), which would otherwise have to fit in memory. Compressed ones pass
 * unchanged.
 */
export const compressedStreams = compression({
  threshold: leastBytes,
  level: constants.Z_BEST_SPEED,
  brotli: { params: fastBrotli },
})
