import { type Organisation, organisationKey } from './organisation.ts'

/** The organisations that are configured now, as everybody sees them who keeps no copy. */
export type Organisations = {
  /** By organisationKey(). The map does not change: another one takes its place. */
  readonly current: () => ReadonlyMap<string, Organisation>
  /** Aborts when the organisation with this key is no longer configured; has done so for one that is not. */
  readonly presence: (key: string) => AbortSignal
}

/** The one place where they change. */
export type OrganisationsHolder = Organisations & {
  readonly replace: (organisations: readonly Organisation[]) => void
}

/** @param organisations those that are configured at start */
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
