import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { Router } from 'express'

const packageFile = createRequire(import.meta.url).resolve

const designSystem = dirname(dirname(packageFile('@digdir/designsystemet-css')))
const inter = join(dirname(packageFile('@fontsource-variable/inter')), 'files')

const publicDirectory = fileURLToPath(new URL('../../public', import.meta.url))

/** Changes whenever a file that browsers may keep changes: ours by content, the packages' by their version. */
const fingerprint = (): string => {
  const hash = createHash('sha256')
  for (const room of [designSystem, inter]) hash.update(readFileSync(join(room, '..', 'package.json')))
  const files = readdirSync(publicDirectory, { recursive: true, withFileTypes: true })
  for (const file of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (file.isFile()) hash.update(file.name).update(readFileSync(join(file.parentPath, file.name)))
  }
  return hash.digest('base64url').slice(0, 10)
}

/**
 * Serves public/, the design system's style sheets and the Inter font below a path that changes with their
 * content, so that browsers keep them for a year and never show an old one. `asset('css/portal.css')` is the
 * URL of a file; a style sheet's relative URLs stay below the same path.
 */
export const createStaticFiles = () => {
  const prefix = `/assets/${fingerprint()}`
  const options = { index: false, immutable: true, maxAge: '1y', fallthrough: true } as const
  const router = Router()
  router.use(`${prefix}/designsystemet`, express.static(designSystem, options))
  router.use(`${prefix}/inter`, express.static(inter, options))
  router.use(prefix, express.static(publicDirectory, options))
  router.use('/favicon.svg', express.static(join(publicDirectory, 'images/favicon.svg'), { maxAge: '1d' }))
  return { router, asset: (path: string): string => `${prefix}/${path}` }
}
