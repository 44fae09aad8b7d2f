/**
 * A value that the portal does not know, as text: JSON without nulls; the empty text for null and for what has nothing
 * else in it.
 */
export function plain(value: unknown): string {
  const kept = withoutNulls(value)
  if (kept === undefined) return ''
  return typeof kept === 'string' ? kept : JSON.stringify(kept)
}

function withoutNulls(value: unknown): unknown {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls).filter((item) => item !== undefined)
    return items.length === 0 ? undefined : items
  }
  const members = Object.entries(value).flatMap(([name, member]) => {
    const kept = withoutNulls(member)
    return kept === undefined ? [] : [[name, kept] as const]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members)
}
