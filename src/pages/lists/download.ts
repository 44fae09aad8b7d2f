import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, RequestHandler, Response } from 'express'
import { portalDay } from '../../domain/time-zone.ts'
import { isStillAllowed } from '../../auth/access.ts'
import { compressedStreams } from '../../http/compression.ts'
import type { PageDeps } from '../deps.ts'
import { actingAs, signedIn } from '../request-state.ts'
import type { OrganisationRoute } from '../mount.ts'
import { csv, type Format, xlsx } from './export-formats.ts'
import type { Sheet, SheetOf } from './sheet.ts'

/** Makes the site map's routes for the downloads of the list at `path`. */
export type DownloadRoutes = (list: Pick<OrganisationRoute, 'path' | 'role'>, sheetOf: SheetOf) => OrganisationRoute[]

/** What limits the exports of a user and of the process; both functions throw TooManyRequestsError. */
export type ExportLimits = {
  readonly begin: (
    req: Request,
    userId: string,
  ) => Promise<{ readonly count: (rows: number) => Promise<void>; readonly end: () => void }>
}

type Deps = Pick<PageDeps, 'organisations' | 'logger' | 'exportLimits'>

/** How long a download may take. Access is read before each batch, and a browser that reads nothing asks for none. */
const mostMs = 10 * 60_000

/** The site map's routes for the downloads of a list, next to it: `<path>.csv` and `<path>.xlsx`. */
export function createDownloads(deps: Deps): DownloadRoutes {
  const turns = createTurns()
  return ({ path, role }, sheetOf) =>
    [csv, xlsx].map((format) => ({
      path: `${path}.${format.extension}`,
      role,
      get: [compressedStreams, download(deps, { format, role, sheetOf, turns })],
    }))
}

/**
 * Sends the sheet as a file, named after organisation, list, filter and day. A failure on the way, the end of the user's access
 * and `mostMs` destroy the connection, so that the browser reports a failed download.
 */
function download(
  { organisations, logger, exportLimits }: Deps,
  { format, role, sheetOf, turns }: DownloadOptions,
): RequestHandler {
  return async (req, res) => {
    const { language } = res.locals
    if (req.method === 'HEAD') {
      const sheet = await sheetOf(req, res)
      res
        .attachment(nameOf(sheet, format, res))
        .type(format.type)
        .end()
      return
    }
    const running = await exportLimits.begin(req, signedIn(req).id)
    res.locals.leaveWork?.()
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(new ExportEndedError('time')), mostMs)
    try {
      const sheet = await sheetOf(req, res)
      const { title, headings, kinds } = sheet
      const { count, batches } = await sheet.find()
      await running.count(count)
      res.attachment(nameOf(sheet, format, res)).type(format.type)
      // Middleware, compression and pipeline listen for its end; Node warns from eleven on.
      res.setMaxListeners(20)
      res.locals.auditEvent = 'export'
      const isAllowed = async (): Promise<boolean> => isStillAllowed(req, res, role, organisations)
      const allowed = whileAllowed(turns(batches), isAllowed)
      await pipeline(await format.write({ title, headings, kinds, count, batches: allowed }, language.code), res, {
        signal: timeout.signal,
      })
    } catch (error) {
      const { reason } = timeout.signal.aborted ? timeout.signal : { reason: error }
      if (reason instanceof ExportEndedError) {
        logger.info({ reason: reason.message }, 'export ended: connection closed')
        res.destroy()
        return
      }
      // The browser has closed the connection: an error has no reader.
      if (!(res.headersSent && req.destroyed)) throw error
    } finally {
      clearTimeout(timer)
      running.end()
    }
  }
}

type DownloadOptions = {
  readonly format: Format
  readonly role: OrganisationRoute['role']
  readonly sheetOf: SheetOf
  readonly turns: Turns
}

/** Passes batches on, and reads the next one only when no other reader does. */
type Turns = <Batch>(batches: AsyncIterable<Batch>) => AsyncIterable<Batch>

/** The longest pause after a batch has been written, which a slow browser can draw out. */
const mostPauseMs = 20

/**
 * One batch at a time for all downloads of the process. After reading one, and after writing it, everything else has a
 * pause as long as that took: a page takes several turns of the process and the database, and would otherwise wait for a
 * batch at each.
 */
function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return async function* inTurns(batches) {
    const iterator = batches[Symbol.asyncIterator]()
    for (;;) {
      let began = 0
      const turn = last.then(async () => {
        began = performance.now()
        return iterator.next()
      })
      last = turn.catch(() => {}).then(async () => sleep(performance.now() - began))
      const { done, value } = await turn
      if (done) return
      const given = performance.now()
      yield value
      await sleep(Math.min(performance.now() - given, mostPauseMs))
    }
  }
}

/** The batches, each only after the user's access has been read again. @throws ExportEndedError */
async function* whileAllowed<Batch>(
  batches: AsyncIterable<Batch>,
  isAllowed: () => Promise<boolean>,
): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    if (!(await isAllowed())) throw new ExportEndedError('access')
    yield batch
  }
}

/** Ends a download on purpose; the message is the reason. */
class ExportEndedError extends Error {}

/** The name of the file: with plain spaces, and without characters that file systems refuse, as in A/S. */
function nameOf({ title, filter }: Sheet, { extension }: Format, res: Response): string {
  const name = [actingAs(res).name, title, shortened(filter), portalDay(new Date())]
    .filter((part) => part !== '')
    .join(' – ')
    .replaceAll(/\p{Zs}/gu, ' ')
    .replaceAll(/[\p{Cc}<>:"/\\|?*]/gu, '-')
  return `${name}.${extension}`
}

/** The most characters of the filter in the name of a file. */
const longestFilter = 100

/** As many of the words as a name has room for. */
function shortened(filter: string): string {
  if (filter.length <= longestFilter) return filter
  return `${filter.slice(0, filter.lastIndexOf(' ', longestFilter)).replace(/,$/, '')} …`
}
