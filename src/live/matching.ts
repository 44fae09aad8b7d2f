/** Folds what people do not mean when they search: case, and how a letter with a ring or dots is spelt. */
const fold = (text: string): string => text.normalize('NFC').toLocaleLowerCase('nb')

/** A test for rows: does any of these texts contain what was searched? Everything matches an empty search. */
export const containing = (q: string): ((texts: readonly (string | undefined)[]) => boolean) => {
  const wanted = fold(q.trim())
  return (texts) => wanted === '' || texts.some((text) => text !== undefined && fold(text).includes(wanted))
}

/** Orders names as people in the Nordic countries expect, with numbers by value. */
export const byName = new Intl.Collator('nb', { numeric: true }).compare
