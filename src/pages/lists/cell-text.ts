/** The most that a spreadsheet holds in a cell. Excel moves the rest of a CSV field to other rows, and repairs XLSX. */
const longestText = 32_767

/**
 * A text for a quoted CSV field. Line breaks and control characters are spaces. An apostrophe precedes what a
 * spreadsheet would run as a formula (OWASP, CSV injection), also when it splits the file at another separator.
 */
export function csvText(text: string): string {
  return cut(cut(text).replaceAll(breaking, ' ').replaceAll(formulaStart, "$1'"))
}

/** A text for a cell of XLSX, whose characters all exist in XML 1.0 and mean themselves (ECMA-376, ST_Xstring). */
export function xlsxText(text: string): string {
  return cut(text)
    .replaceAll(/[\0\uFFFE\uFFFF]/g, '\uFFFD')
    .replaceAll(/_(?=x[\dA-F]{4}_)/gi, '_x005F_')
}

/** What some program takes for a line break, or what changes the direction of the text around it. */
const breaking = /\r\n|[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\uFEFF\uFFF9-\uFFFB]/gu

/** White space, and characters without a shape, which programs may skip at the start of a cell. */
const blank = String.raw`[\s\p{Z}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*`
/** The signs = + - @ and the minus sign, and the characters that Unicode treats as compatible with them. */
const sign = '[=+\\-@\u2212\u207A-\u207C\u208A-\u208C\uFB29\uFE62\uFE63\uFE66\uFE6B\uFF0B\uFF0D\uFF1D\uFF20]'
/**
 * The start of a cell, before a sign. A cell starts with the text, or after a character that can be chosen as separator.
 * There a quote, also the one that ends the field, would open another field and hide the end of the row.
 */
const formulaStart = new RegExp(`(^${blank}(?=${sign})|[;,|]${blank}(?=${sign}|"|$))`, 'gu')

/** The ellipsis shows the cut, and keeps a separator from the end of the field. */
function cut(text: string): string {
  const kept = text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text
  return kept.toWellFormed()
}
