import Bowser from 'bowser'

/** A browser and the system it runs on, by their names; null where nobody knows. */
export type Device = { readonly browser: string | null; readonly system: string | null }

const longestUserAgent = 500

/** What a User-Agent header says, for people: names without versions, which would tell one user from another. */
export function deviceOf(userAgent: string | undefined): Device {
  if (!userAgent) return { browser: null, system: null }
  const { browser, os } = Bowser.parse(userAgent.slice(0, longestUserAgent))
  return { browser: nameOf(browser.name), system: nameOf(os.name) }
}

// Names of browsers that the library does not know come from the header itself.
function nameOf(name: string | undefined): string | null {
  const printable = name?.replace(/\p{Cc}+/gu, ' ').trim()
  return printable?.slice(0, 40) || null
}
