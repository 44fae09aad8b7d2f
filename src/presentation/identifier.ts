import { customOf } from '../domain/business-identifier.ts'
import { type Mark, type Part, withGaps } from './highlight.ts'

/** A business identifier for views: country, prefix, and the id in parts, spaced as in its country. */
export function identifierOf(
  identifier: { readonly scheme: string; readonly id: string },
  mark: Mark = (text) => [{ text, hit: false }],
): { readonly country: string; readonly prefix: string; readonly parts: readonly Part[] } {
  const { country, prefix, gaps } = customOf(identifier)
  return { country, prefix, parts: withGaps(mark(identifier.id), gaps) }
}
