import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compileViews } from '../../src/presentation/view-engine.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-views-'))
mkdirSync(join(directory, 'parts'))
writeFileSync(
  join(directory, 'list.ejs'),
  '<%= locals.title %>: <% for (const row of locals.rows) { %><%- include("parts/row", { row }) %><% } %>',
)
writeFileSync(join(directory, 'parts/row.ejs'), '[<%= locals.row %> of <%= locals.title %>]')
writeFileSync(join(directory, 'misspelt.ejs'), '<%= locals.titel %>')
// parts/small needs no more than it is passed, where it is passed that.
writeFileSync(join(directory, 'parts/small.ejs'), '<%= locals.text %>')
writeFileSync(join(directory, 'small.ejs'), '<%- include("parts/small", { text: "<b>" }) %>')
writeFileSync(join(directory, 'passed-misspelt.ejs'), '<%- include("parts/small", { txet: "x" }) %>')
writeFileSync(join(directory, 'bare.ejs'), '<%= title %>')
writeFileSync(join(directory, 'missing.ejs'), '<%- include("parts/none") %>')

const render = compileViews(directory)
// Whatever is rendered from here on is rendered without the files.
rmSync(directory, { recursive: true })

it('renders a view and what it includes, escaped, without touching a file', () => {
  expect(render('list', { title: 'a & b', rows: ['<x>', '"'] })).toBe(
    'a &amp; b: [&lt;x&gt; of a &amp; b][&#34; of a &amp; b]',
  )
})

it('does not let an included view change what its caller sees', () => {
  const locals = { title: 't', rows: ['1'] }
  render('list', locals)
  expect(locals).toEqual({ title: 't', rows: ['1'] })
})

it('gives a small view what it is passed, escaped, and its caller’s locals where it is passed none of that', () => {
  expect(render('small', {})).toBe('&lt;b&gt;')
  expect(render('passed-misspelt', { text: 'of the caller' })).toBe('of the caller')
})

it.each([
  ['misspelt', /locals\.titel/],
  ['passed-misspelt', /locals\.text/],
  ['bare', /title is not defined/],
  ['missing', /no view parts\/none/],
  ['nowhere', /no view nowhere/],
])('fails on a %s name', (view, message) => {
  expect(() => render(view, { title: 't' })).toThrow(message)
})
