import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from './config.ts'
import type { Logger } from './logger.ts'
import { organisationKey } from './organisation.ts'
import type { RunningSync } from './sync/setup.ts'
import type { AuditBuffer } from './store/audit-buffer.ts'

/** What made the portal read its organisations again. */
type Cause = 'signal' | 'file'

/** Reads organisations and their keys again while the portal runs. */
export type KeysReload = {
  /** Reads and, when all is right, changes at once. What is wrong is in the log, and changes nothing. */
  readonly now: (cause: Cause) => void
  readonly stop: () => Promise<void>
}

/**
 * What tells one state of a file from the next without reading it. stat() follows links, so that one which leads elsewhere
 * (as Kubernetes changes a secret) tells, as does a file that took another's place.
 */
const fingerprint = async (file: string): Promise<string> => {
  try {
    const { dev, ino, size, mode, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return [file, dev, ino, size, mode, mtimeNs, ctimeNs].join(' ')
  } catch {
    return `${file} is not there`
  }
}

/**
 * Looks at the files every two seconds: events of the file system do not come through every mount. A change counts when
 * it has stood still for one look, so that a file half written is not read.
 */
export const startKeysReload = (
  config: Pick<Config, 'readOrganisations' | 'secretFiles'>,
  running: Pick<RunningSync, 'replace' | 'sync'>,
  audit: AuditBuffer,
  logger: Logger,
  lookMs = 2000,
): KeysReload => {
  const stopping = new AbortController()
  const { signal } = stopping
  let files = config.secretFiles

  const now = (cause: Cause): void => {
    const { organisations, problems, warnings, files: named } = config.readOrganisations()
    // What was there before counts, too: a mistake may hide what else there is to look at.
    files = [...new Set(problems.length > 0 ? [...files, ...named] : named)]
    for (const warning of warnings) logger.warn(warning)
    if (problems.length > 0) {
      logger.error({ cause, problems }, 'keys not reloaded: the portal goes on with those it has')
      return
    }
    const changes = running.replace(organisations)
    if (changes.length === 0) return logger.debug({ cause }, 'keys read again: nothing has changed')
    for (const { organisation, what } of changes)
      audit.note({
        event: 'keys reloaded',
        organisation: organisationKey(organisation),
        details: { what, cause },
      })
    logger.info({ cause, changes: changes.length, organisations: organisations.length }, 'keys reloaded')
    const makeUse = async (): Promise<void> => {
      for (const { organisation, what } of changes)
        if (what === 'keys changed') await running.sync.credentialsChanged(organisation)
      await running.sync.tick()
    }
    makeUse().catch((error: unknown) =>
      logger.warn({ err: error }, 'new keys are used later than they could be'),
    )
  }

  const look = async (): Promise<string> => (await Promise.all(files.map(fingerprint))).join('\n')
  const looks = (async () => {
    // Unknown at first: what has changed since the portal read its configuration is a change.
    let [read, before] = ['', '']
    while (!signal.aborted) {
      await sleep(lookMs, undefined, { signal, ref: false }).catch(() => {})
      const seen = await look()
      if (!signal.aborted && seen === before && seen !== read) {
        try {
          now('file')
        } catch (error) {
          logger.error({ err: error }, 'keys not reloaded')
        }
        // Of the files that are named now.
        read = await look()
      }
      before = seen
    }
  })()

  return {
    now,
    stop: async () => {
      stopping.abort()
      await looks
    },
  }
}
