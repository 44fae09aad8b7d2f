import { type Organisation, organisationKey } from './organisation.ts'

/** The configured organisations, which may change at run time; do not cache them. */
export type Organisations = {
  /** By organisationKey(). The map is immutable; a change replaces it. */
  readonly current: () => ReadonlyMap<string, Organisation>
  /** A signal that aborts when the organisation is no longer configured; already aborted for an unknown one. */
  readonly presence: (key: string) => AbortSignal
}

/** The holder of the organisations, which can replace them. */
export type OrganisationsHolder = Organisations & {
  readonly replace: (organisations: readonly Organisation[]) => void
}

/** Creates the holder. @param organisations those configured at start */
export function holdOrganisations(organisations: readonly Organisation[]): OrganisationsHolder {
  let current: ReadonlyMap<string, Organisation> = new Map()
  const presences = new Map<string, AbortController>()
  const replace = (next: readonly Organisation[]): void => {
    current = new Map(next.map((organisation) => [organisationKey(organisation), organisation]))
    for (const key of current.keys()) if (!presences.has(key)) presences.set(key, new AbortController())
    for (const [key, presence] of presences) {
      if (current.has(key)) continue
      presences.delete(key)
      presence.abort()
    }
  }
  replace(organisations)
  return {
    current: () => current,
    presence: (key) => presences.get(key)?.signal ?? AbortSignal.abort(),
    replace,
  }
}
