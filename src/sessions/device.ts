import Bowser from 'bowser'

/** A browser and the system it runs on, by their names; null where nobody knows. */
export type Device = { readonly browser: string | null; readonly system: string | null }

const longestUserAgent = 500

// Names of browsers that the library does not know come from the header itself.
const nameOf = (name: string | undefined): string | null =>
  name
    ?.replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 40) || null

/** What a User-Agent header says, for people: names without versions, which would tell one user from another. */
export const deviceOf = (userAgent: string | undefined): Device => {
  if (!userAgent) return { browser: null, system: null }
  const { browser, os } = Bowser.parse(userAgent.slice(0, longestUserAgent))
  return { browser: nameOf(browser.name), system: nameOf(os.name) }
}
