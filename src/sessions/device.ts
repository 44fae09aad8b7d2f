import Bowser from 'bowser'

/** The names of a browser and its operating system; null when unknown. */
export type Device = { readonly browser: string | null; readonly system: string | null }

const longestUserAgent = 500

/** Parses a User-Agent header into names without versions, which could identify a user. */
export function deviceOf(userAgent: string | undefined): Device {
  if (!userAgent) return { browser: null, system: null }
  const { browser, os } = Bowser.parse(userAgent.slice(0, longestUserAgent))
  return { browser: nameOf(browser.name), system: nameOf(os.name) }
}

// The names of unknown browsers come from the header itself.
function nameOf(name: string | undefined): string | null {
  const printable = name?.replace(/\p{Cc}+/gu, ' ').trim()
  return printable?.slice(0, 40) || null
}
