const origin = 'http://portal.invalid'

/**
 * The value if it is a path on this portal to go to after sign-in, else `/select`. Absolute URLs, `//host`, `/\host`,
 * control characters and the sign-in's own paths are refused (CWE-601, open redirect).
 */
export function safeReturnPath(value: unknown): string {
  if (typeof value !== 'string' || value.length > 2000) return '/select'
  if (!/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(value) || !URL.canParse(value, origin)) return '/select'
  // Normalised as a browser does: /./login is /login, and /.//host is a path that begins with two slashes.
  const { pathname } = new URL(value, origin)
  return /^\/(login|logout|register|auth)?(\/|$)/i.test(pathname) ? '/select' : value
}
