import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { styleSheet } from '../../src/presentation/style-sheet.ts'

const views = fileURLToPath(new URL('../../views/', import.meta.url))
const components = dirname(createRequire(import.meta.url).resolve('@digdir/designsystemet-css/index.css'))

it('the style sheet includes every design system component that a view uses', () => {
  const text = readdirSync(views, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ejs'))
    .map((file) => readFileSync(views + file, 'utf8'))
    .join()
  const used = [...new Set([...text.matchAll(/\bds-([a-z-]+)/g)].map(([, name]) => `${name}.css`))]
    .map((file) => join(components, file))
    .filter(existsSync)
  expect(used.length).toBeGreaterThan(15)
  const sheet = styleSheet('')
  expect(used.filter((file) => !sheet.includes(readFileSync(file, 'utf8')))).toEqual([])
})
