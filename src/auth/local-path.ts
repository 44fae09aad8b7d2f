/**
 * A path on this portal to go to after sign-in; `/select` for whatever is not one. Absolute URLs, `//host`,
 * `/\host`, control characters and the sign-in's own addresses are not (CWE-601, open redirect).
 */
export const localPath = (value: unknown): string => {
  if (typeof value !== 'string' || value.length > 2000) return '/select'
  const local = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(value)
  const ownAddress = /^\/(login|logout|register|auth)?([?#/]|$)/.test(value)
  return local && !ownAddress ? value : '/select'
}
