import { unwatchFile, watchFile } from 'node:fs'
import type { Config } from './config.ts'
import type { Logger } from '../logger.ts'
import { organisationKey } from '../domain/organisation.ts'
import type { AuditWriter } from '../store/audit.ts'
import type { RunningSync } from '../sync/setup.ts'

/** The trigger of a reload. */
type Cause = 'signal' | 'file'

/** Reads organisations and their credentials again while the portal runs. */
export type CredentialsReload = {
  /** Reads everything and, only if it is valid, uses it at once; the log names what is invalid. */
  readonly now: (cause: Cause) => void
  readonly stop: () => void
}

/**
 * Reloads on `now` and when a file changes. `watchFile` polls with stat(), which sees through bind mounts, network file
 * systems and symlinks; Kubernetes updates a secret by replacing a symlink.
 */
export function startCredentialsReload(
  config: Pick<Config, 'readOrganisations' | 'secretFiles'>,
  running: Pick<RunningSync, 'replace' | 'sync'>,
  audit: AuditWriter,
  logger: Logger,
  pollMs = 2000,
): CredentialsReload {
  const watched = new Set<string>()
  let settled: NodeJS.Timeout | undefined

  const reload = async (cause: Cause): Promise<void> => {
    const { organisations, problems, warnings, files } = config.readOrganisations()
    watch(files)
    for (const warning of warnings) logger.warn(warning)
    if (problems.length > 0) {
      logger.error({ cause, problems }, 'credentials not reloaded: the portal keeps those it has')
      return
    }
    const changes = running.replace(organisations)
    if (changes.length === 0) return logger.debug({ cause }, 'credentials unchanged')
    for (const { organisation, what } of changes)
      audit.note({
        event: 'credentials reloaded',
        organisation: organisationKey(organisation),
        details: { what, cause },
      })
    logger.info({ cause, changes: changes.length, organisations: organisations.length }, 'credentials reloaded')
    for (const { organisation, what } of changes)
      if (what === 'credentials changed') await running.sync.credentialsChanged(organisation)
    await running.sync.tick()
  }
  const now = (cause: Cause): void => {
    reload(cause).catch((error: unknown) => logger.error({ err: error }, 'credentials reload failed'))
  }
  // Waits until a whole poll has seen no further change, so that a half-written file is not read.
  const changed = (): void => {
    clearTimeout(settled)
    settled = setTimeout(now, pollMs * 1.5, 'file').unref()
  }
  const watch = (files: readonly string[]): void => {
    for (const file of files) {
      if (!watched.has(file)) watchFile(file, { interval: pollMs, persistent: false }, changed)
      watched.add(file)
    }
  }

  watch(config.secretFiles)
  // What changed while the portal started was there before `watchFile`.
  changed()
  return {
    now,
    stop: () => {
      clearTimeout(settled)
      for (const file of watched) unwatchFile(file, changed)
    },
  }
}
