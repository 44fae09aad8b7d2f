/** Letters that Norwegian and Danish sort after z, in their order; Swedish and Finnish ones with their equivalents. */
const afterZ: Readonly<Record<string, string>> = { æ: '{', ä: '{', ø: '|', ö: '|', å: '}' }

/** The maximum length, for the index. */
const longest = 100

/**
 * A key whose byte order is the usual Nordic order of names: case and accents are ignored, æ ø å (and aa) come last,
 * punctuation first, numbers sort by value. PostgreSQL does not have such a collation everywhere. At most 100
 * characters; later differences are ignored.
 */
export function sortKey(name: string): string {
  return name
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('aa', 'å')
    .replaceAll(/[æäøöå]/g, (letter) => afterZ[letter] ?? letter)
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/\d+/g, (digits) => digits.replace(/^0+(?=\d)/, '').padStart(12, '0'))
    .replaceAll(/[\p{P}\p{S}]/gu, (mark) => ('{|}'.includes(mark) ? mark : '!'))
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longest)
}
