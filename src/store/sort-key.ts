/** Letters that Norwegians and Danes put after z, in their order; Swedes' and Finns' beside their equals. */
const afterZ: Readonly<Record<string, string>> = { æ: '{', ä: '{', ø: '|', ö: '|', å: '}' }

/** An index takes no more. */
const longest = 100

/**
 * A text whose byte order is the order people in the Nordic countries expect of names: case and accents do not
 * count, æ ø å (and aa, its old spelling) come last, signs first, numbers go by value. For PostgreSQL, which has no such collation everywhere. At most 100 characters: what differs later only is in no order.
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
