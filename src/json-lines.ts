/** Where things stand in a JSON text: by dotted path (`partners.0.id`, '' is the whole), the line on which each begins. */
export type JsonLines = {
  readonly lines: ReadonlyMap<string, number>
  /** The line of the first mistake, when it is not JSON. */
  readonly mistake: number | undefined
}

const token =
  // oxlint-disable-next-line no-control-regex -- as JSON says: a string holds none of these
  /[ \t\r\n]*(?:("(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|([[\]{}:,])|(true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?))/y

/**
 * Finds lines for messages about a file of secrets: JSON.parse tells of no line for most mistakes, and quotes what
 * stands there. Nothing of the text is in the answer but names of members.
 */
export const jsonLines = (text: string): JsonLines => {
  const lines = new Map<string, number>()
  let at = 0
  const counted = { to: 0, line: 1 }
  /** Asked for from the front to the back only. */
  const lineAt = (end: number): number => {
    counted.line += text.slice(counted.to, end).split('\n').length - 1
    counted.to = end
    return counted.line
  }
  const peek = (): string => {
    token.lastIndex = at
    return token.exec(text)?.[0].trim() ?? ''
  }
  const take = (): string => {
    const found = peek()
    if (found === '') throw new SyntaxError('no token')
    at = token.lastIndex
    return found
  }
  const expect = (sign: string): void => {
    if (peek() !== sign) throw new SyntaxError('another token')
    take()
  }
  /** Members between two signs, separated by commas. */
  const members = (end: string, member: (index: number) => void): void => {
    if (peek() === end) return void take()
    for (let index = 0; ; index += 1) {
      member(index)
      if (peek() !== ',') return expect(end)
      take()
    }
  }
  const value = (path: string): void => {
    const inside = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`)
    const first = peek()
    if (/^[\]}:,]?$/.test(first)) throw new SyntaxError('no value')
    take()
    lines.set(path, lineAt(at - first.length))
    if (first === '[') members(']', (index) => value(inside(index)))
    if (first === '{')
      members('}', () => {
        if (!peek().startsWith('"')) throw new SyntaxError('no name')
        const name: unknown = JSON.parse(take())
        expect(':')
        value(inside(String(name)))
      })
  }
  const spaceBefore = (): number => at + (/^[ \t\r\n]*/.exec(text.slice(at))?.[0].length ?? 0)
  try {
    value('')
    if (spaceBefore() < text.length) throw new SyntaxError('more than one value')
    return { lines, mistake: undefined }
  } catch {
    return { lines, mistake: lineAt(spaceBefore()) }
  }
}
