import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import express, { type RequestHandler, Router } from 'express'
import type { Brand } from '../brand/brand.ts'
import { styleSheet } from '../presentation/style-sheet.ts'

const packageFile = createRequire(import.meta.url).resolve

const inter = join(dirname(packageFile('@fontsource-variable/inter')), 'files')
const htmx = join(dirname(packageFile('htmx.org/package.json')), 'dist/htmx.esm.min.js')

const publicDirectory = fileURLToPath(new URL('../../public', import.meta.url))

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
}

type SentFile = { readonly path: string; readonly bytes: Buffer }

const best = {
  br: async (bytes: Buffer) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
    }),
  gzip: async (bytes: Buffer) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
}

const forDocuments = [
  'Permissions-Policy',
  'Cross-Origin-Opener-Policy',
  'Origin-Agent-Cluster',
  'X-DNS-Prefetch-Control',
  'X-Download-Options',
  'X-Permitted-Cross-Domain-Policies',
  'X-XSS-Protection',
]

/** What browsers heed in documents only is a kilobyte for each of a dozen files. What would hold an SVG that is opened stays. */
const asPartOfPages: RequestHandler = (_req, res, next) => {
  for (const name of forDocuments) res.removeHeader(name)
  next()
}

/**
 * Serves the style sheet, public/, htmx, the brand's logo and the Inter font below a path that changes with their
 * content, so that browsers keep them for a year and never show an old one. `asset('css/portal.css')` is the URL of a file; relative
 * URLs of style sheets and modules stay below the same path. `logo` is the URL of the logo, null where there is none.
 */
export function createStaticFiles(brand: Brand) {
  const files = sentFiles(brand)
  const hash = createHash('sha256').update(readFileSync(join(inter, '..', 'package.json')))
  for (const { path, bytes } of files) hash.update(path).update(bytes)
  const prefix = `/assets/${hash.digest('base64url').slice(0, 10)}`
  const options = { index: false, immutable: true, maxAge: '1y', fallthrough: true } as const
  const router = Router()
  router.use('/assets', asPartOfPages)
  for (const file of files) router.get(`${prefix}/${file.path}`, sendFile(file))
  router.use(`${prefix}/inter`, express.static(inter, options))
  router.use('/favicon.svg', express.static(join(publicDirectory, 'images/favicon.svg'), { maxAge: '1d' }))
  const asset = (path: string): string => `${prefix}/${path}`
  const logo = logoPath(brand)
  return { router, asset, logo: logo === undefined ? null : asset(logo) }
}

/** Every file that browsers get, the font aside, by its path below the prefix. */
function sentFiles(brand: Brand): SentFile[] {
  const ours = readdirSync(publicDirectory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && /\.(js|svg)$/.test(file.name))
    .map((file) => join(file.parentPath, file.name))
    .map((file) => ({ path: file.slice(publicDirectory.length + 1), bytes: readFileSync(file) }))
  return [
    { path: 'css/portal.css', bytes: Buffer.from(styleSheet(brand.style)) },
    { path: 'htmx/htmx.esm.min.js', bytes: readFileSync(htmx) },
    ...ours.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    ...(brand.logo ? [{ path: String(logoPath(brand)), bytes: brand.logo.bytes }] : []),
  ]
}

/** Sends one file, compressed once as well as it goes, in another thread, when somebody first wants it. */
function sendFile({ path, bytes }: SentFile): RequestHandler {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`
  const made: { br?: Promise<Buffer>; gzip?: Promise<Buffer> } = {}
  return async (req, res) => {
    res.set('Cache-Control', 'public, max-age=31536000, immutable').vary('Accept-Encoding')
    res.set('ETag', etag).type(types[path.split('.').at(-1) ?? ''] ?? 'bin')
    const encoding = req.acceptsEncodings('br', 'gzip')
    // A PNG is packed as it is.
    if ((encoding !== 'br' && encoding !== 'gzip') || path.endsWith('.png')) {
      res.send(bytes)
      return
    }
    const packed = await (made[encoding] ??= best[encoding](bytes))
    res.set('Content-Encoding', encoding).send(packed)
  }
}

/** Where the operator's logo is, if there is one. */
function logoPath({ logo }: Brand): string | undefined {
  return logo && `brand/logo.${logo.type}`
}
