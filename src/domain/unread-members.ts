/**
 * The member of a stored record with what its schema could not read, raw and by path:
 * `{ "businessAddress.lines[1]": null }`. A later release can read it; until then it counts as absent.
 */
export const unreadMember = '_unread'

/** The JSON type of a value, for the operator: `object`, `array`, `null`, `string`, `number` or `boolean`. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
