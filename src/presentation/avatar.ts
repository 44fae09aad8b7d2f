import { type Organisation, organisationKey } from '../domain/organisation.ts'

const hues = 6

/** An organisation's avatar: initials, and one of six hues that its key decides, so that two tabs differ at a glance. */
export function avatarOf(organisation: Organisation): { readonly initials: string; readonly hue: number } {
  const sum = Buffer.from(organisationKey(organisation)).reduce((hash, byte) => (hash * 31 + byte) % 9973, 7)
  return { initials: initialsOf(organisation.name), hue: (sum % hues) + 1 }
}

/** The first letters of the first two words; one for a name of one word. */
export function initialsOf(name: string): string {
  return name
    .split(/\s+/)
    .filter((word) => /^[\p{L}\d]/u.test(word))
    .slice(0, 2)
    .map((word) => /^./u.exec(word)?.[0])
    .join('')
    .toUpperCase()
}
