import { describe, expect, it } from 'vitest'
import { jsonLines } from '../src/json-lines.ts'

describe('lines of a JSON text', () => {
  it('are those on which values begin', () => {
    const text = `\n{ "a": [1,\n  {"b":\n "x\\ny"}],\n\n"c": null }\n`
    expect(Object.fromEntries(jsonLines(text).lines)).toEqual({
      '': 2,
      a: 2,
      'a.0': 2,
      'a.1': 3,
      'a.1.b': 4,
      c: 6,
    })
    expect(jsonLines(text).mistake).toBeUndefined()
  })

  it.each([
    ['', 1],
    ['{', 1],
    ['{\n"a": 1\n"b": 2}', 3],
    ['{\n"a": 1,\n}', 3],
    ['{\n"a": tru\n}', 2],
    ['[1,\n2,\n"x\n"]', 3],
    ['{}\n{}', 2],
    ['[01]', 1],
    ['["\\q"]', 1],
    ["{'a': 1}", 1],
  ])('name the first mistake of %j', (text, line) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
    expect(jsonLines(text).mistake).toBe(line)
  })

  it('find no mistake where JSON.parse finds none', () => {
    const texts = [
      '1',
      ' [] ',
      '{}',
      '"\\u00e6 {}[]"',
      '[-1.5e+3, true, [], {"a": {}}]',
      '{"__proto__": [1]}',
    ]
    for (const text of texts) {
      JSON.parse(text)
      expect([text, jsonLines(text).mistake]).toEqual([text, undefined])
    }
  })
})
