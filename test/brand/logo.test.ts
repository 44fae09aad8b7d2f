import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readLogo } from '../../src/brand/logo.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-logo-'))
afterAll(() => rmSync(directory, { recursive: true }))

function read(content: string | Buffer, name = 'logo') {
  const file = join(directory, name)
  writeFileSync(file, content)
  return readLogo(file)
}

const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><path d="M0 0h2v2z"/></svg>'
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

describe('the type of a logo', () => {
  it.each([
    ['an SVG', drawing, 'svg'],
    ['an SVG with a prolog', `\uFEFF<?xml version="1.0"?>\n<!-- drawn -->\n<!DOCTYPE svg>\n${drawing}\n`, 'svg'],
    ['a PNG', png, 'png'],
    ['a PNG with the name of an SVG', png, 'png', 'logo.svg'],
  ])('is detected from its content: %s', (_what, content, type, name = 'logo.any') => {
    expect(read(content, name)).toMatchObject({ type, bytes: Buffer.from(content) })
  })

  it.each<[string, string | Buffer]>([
    ['an empty file', ''],
    ['an HTML page', `<!doctype html><html>${drawing}</html>`],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10])],
    ['a truncated SVG', drawing.slice(0, 50)],
    ['an invalid PNG', Buffer.from('\x89PNG and more')],
  ])('must be SVG or PNG: %s', (_what, content) => {
    expect(read(content, 'logo.svg')).toEqual({ problem: 'is neither an SVG nor a PNG' })
  })
})

it.each([
  ['a script', '<script>alert(1)</script>'],
  ['a handler', '<g onload="alert(1)"/>'],
  ['an embedded page', '<foreignObject/>'],
  ['a javascript: link', '<a href="javascript:alert(1)"/>'],
  ['an external image', '<image href="https://elsewhere.example/x.png"/>'],
  ['an external image by xlink:href', "<image xlink:href = '//elsewhere.example/x.png'/>"],
  ['an external style sheet', '<style>@import url(x.css)</style>'],
])('an SVG with %s is refused', (_what, part) => {
  expect(read(drawing.replace('<path', `${part}<path`))).toEqual({
    problem: expect.stringContaining('must be a static image') as string,
  })
})

it('an SVG with entities is refused', () => {
  expect(read(`<!DOCTYPE svg [\n<!ENTITY a "b">\n]>${drawing}`)).toEqual({
    problem: expect.stringContaining('entities') as string,
  })
})

it('a logo of more than 64 KB is refused', () => {
  const padded = (length: number) => drawing.replace('<path', `${' '.repeat(length - drawing.length)}<path`)
  expect(read(padded(65_536))).toHaveProperty('type', 'svg')
  expect(read(padded(65_537))).toEqual({ problem: 'has 65537 bytes; at most 65536 are allowed' })
})

it('a missing file and a directory are reported', () => {
  expect(readLogo(join(directory, 'none'))).toEqual({ problem: 'cannot be read: ENOENT' })
  expect(readLogo(directory)).toEqual({ problem: 'cannot be read: EISDIR' })
})
