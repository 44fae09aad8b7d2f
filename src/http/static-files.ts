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
import { acceptedEncoding } from './compression.ts'

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

const compressors = {
  br: async (bytes: Buffer) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
    }),
  gzip: async (bytes: Buffer) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
}

const documentHeaders = [
  'Permissions-Policy',
  'Cross-Origin-Opener-Policy',
  'Origin-Agent-Cluster',
  'X-DNS-Prefetch-Control',
  'X-Download-Options',
  'X-Permitted-Cross-Domain-Policies',
  'X-XSS-Protection',
]

/**
 * Removes headers that browsers only heed in documents, a kilobyte per file. Those that restrict an opened SVG stay.
 */
const removeDocumentHeaders: RequestHandler = (_req, res, next) => {
  for (const name of documentHeaders) res.removeHeader(name)
  next()
}

/**
 * Serves the style sheet, public/, htmx, the brand's logo and the Inter font below a path that contains a hash of their
 * content, so that browsers cache them for a year. `asset('css/portal.css')` is the URL of a file; relative URLs in
 * style sheets and modules stay below the same path. `logo` is the URL of the logo, or null.
 *
 * During a rolling update, a page of one version asks an instance of the other for its files. Below an unknown hash the
 * instance sends its own file, which no cache keeps, so that the next page has the right one.
 */
export function createStaticFiles(brand: Brand) {
  const files = sentFiles(brand)
  const hash = createHash('sha256').update(readFileSync(join(inter, '..', 'package.json')))
  for (const { path, bytes } of files) hash.update(path).update(bytes)
  const prefix = `/assets/${hash.digest('base64url').slice(0, 10)}`
  const options = { index: false, immutable: true, maxAge: '1y', fallthrough: true } as const
  const router = Router()
  router.use('/assets', removeDocumentHeaders)
  router.use(takeOtherVersions(prefix))
  for (const file of files) router.get(`${prefix}/${file.path}`, sendFile(file))
  router.use(`${prefix}/inter`, express.static(inter, options))
  router.use(prefix, noSuchFile)
  router.use('/favicon.svg', express.static(join(publicDirectory, 'images/favicon.svg'), { maxAge: '1d' }))
  const asset = (path: string): string => `${prefix}/${path}`
  const logo = logoPath(brand)
  return { router, asset, logo: logo === undefined ? null : asset(logo) }
}

/** Takes the path of a file below the hash of another version for that below our own. */
function takeOtherVersions(prefix: string): RequestHandler {
  return (req, res, next) => {
    const [, version, file] = /^(\/assets\/[\w-]{10})\/(.+)$/.exec(req.url) ?? []
    if (version !== undefined && version !== prefix) {
      req.url = `${prefix}/${file}`
      res.locals['isOtherVersion'] = true
    }
    next()
  }
}

/** A file that only another version has. Answered here, because the sign-in page would be taken for a broken file. */
const noSuchFile: RequestHandler = (_req, res) => {
  res.status(404).set('Cache-Control', 'no-store').type('text').send('Not found\n')
}

/** All static files except the font, with their path below the prefix. */
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

/** Sends one file, compressed at the highest level on the first request, off the main thread. */
function sendFile({ path, bytes }: SentFile): RequestHandler {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`
  const made: { br?: Promise<Buffer>; gzip?: Promise<Buffer> } = {}
  return async (req, res) => {
    const isOther = res.locals['isOtherVersion'] === true
    res.set('Cache-Control', isOther ? 'no-store' : 'public, max-age=31536000, immutable').vary('Accept-Encoding')
    res.set('ETag', etag).type(types[path.split('.').at(-1) ?? ''] ?? 'bin')
    const encoding = acceptedEncoding(req)
    // PNG is already compressed.
    if (!encoding || path.endsWith('.png')) {
      res.send(bytes)
      return
    }
    const compressed = await (made[encoding] ??= compressors[encoding](bytes))
    res.set('Content-Encoding', encoding).send(compressed)
  }
}

/** The path of the operator's logo, if there is one. */
function logoPath({ logo }: Brand): string | undefined {
  return logo && `brand/logo.${logo.type}`
}
