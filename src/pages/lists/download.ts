import { pipeline } from 'node:stream/promises'
import type { RequestHandler } from 'express'
import { TooManyRequestsError } from '../../errors.ts'
import { compressedStreams } from '../../http/compression.ts'
import { actingAs, signedIn } from '../request-state.ts'
import type { OrganisationRoute } from '../mount.ts'
import { csv, type Format, xlsx } from './export-formats.ts'
import type { SheetOf } from './sheet.ts'

/** The downloads that one user may run at once in this process; each keeps a core busy for seconds. */
const mostAtOnce = 2
const tryAgainSeconds = 10

/** Makes the site map's routes for the downloads of the list at `path`. */
export type DownloadRoutes = (list: Pick<OrganisationRoute, 'path' | 'role'>, sheetOf: SheetOf) => OrganisationRoute[]

/** The site map's routes for the downloads of a list, next to it: `<path>.csv` and `<path>.xlsx`. */
export function createDownloads(): DownloadRoutes {
  const running = new Map<string, number>()
  return ({ path, role }, sheetOf) =>
    [csv, xlsx].map((format) => ({
      path: `${path}.${format.extension}`,
      role,
      get: [compressedStreams, download(sheetOf, format, running)],
    }))
}

/** Sends the sheet as a file, named after organisation, list and day. A failure on the way aborts the response. */
function download(sheetOf: SheetOf, format: Format, running: Map<string, number>): RequestHandler {
  return async (req, res) => {
    const { id } = signedIn(req)
    const mine = running.get(id) ?? 0
    if (mine >= mostAtOnce) throw new TooManyRequestsError('exports at once', tryAgainSeconds)
    running.set(id, mine + 1)
    try {
      const { language } = res.locals
      const sheet = await sheetOf(req, res)
      const file = nameOf(actingAs(res).name, sheet.title, language.format.isoDay(new Date()))
      res.attachment(`${file}.${format.extension}`).type(format.type)
      if (req.method === 'HEAD') {
        res.end()
        return
      }
      res.locals.auditEvent = 'export'
      await pipeline(await format.write(sheet, language.code), res)
    } catch (error) {
      // The browser has closed the connection: an error has no reader.
      if (!(res.headersSent && req.destroyed)) throw error
    } finally {
      const left = (running.get(id) ?? 1) - 1
      if (left > 0) running.set(id, left)
      else running.delete(id)
    }
  }
}

/** Replaces characters that file systems refuse, as in A/S. */
function nameOf(...parts: readonly string[]): string {
  return parts.join(' – ').replaceAll(/[\p{Cc}<>:"/\\|?*]/gu, '-')
}
