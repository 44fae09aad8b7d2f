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
// When parts/small gets its values passed, it needs no other locals.
writeFileSync(join(directory, 'parts/small.ejs'), '<%= locals.text %>')
writeFileSync(join(directory, 'small.ejs'), '<%- include("parts/small", { text: "<b>" }) %>')
writeFileSync(join(directory, 'passed-misspelt.ejs'), '<%- include("parts/small", { txet: "x" }) %>')
writeFileSync(join(directory, 'bare.ejs'), '<%= title %>')
writeFileSync(join(directory, 'missing.ejs'), '<%- include("parts/none") %>')

const render = compileViews(directory)
// From here on views must render without reading files.
rmSync(directory, { recursive: true })

it('a view and its includes are rendered, escaped, without reading files', () => {
  expect(render('list', { title: 'a & b', rows: ['<x>', '"'] })).toBe(
    'a &amp; b: [&lt;x&gt; of a &amp; b][&#34; of a &amp; b]',
  )
})

it('an included view cannot change the locals of its caller', () => {
  const locals = { title: 't', rows: ['1'] }
  render('list', locals)
  expect(locals).toEqual({ title: 't', rows: ['1'] })
})

it('a small view gets the passed values, escaped, or else the locals of its caller', () => {
  expect(render('small', {})).toBe('&lt;b&gt;')
  expect(render('passed-misspelt', { text: 'of the caller' })).toBe('of the caller')
})

it.each([
  ['misspelt', /locals\.titel/],
  ['passed-misspelt', /locals\.text/],
  ['bare', /title is not defined/],
  ['missing', /unknown view parts\/none/],
  ['nowhere', /unknown view nowhere/],
])('rendering fails on a %s name', (view, message) => {
  expect(() => render(view, { title: 't' })).toThrow(message)
})
