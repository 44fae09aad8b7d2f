import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const designSystem = dirname(createRequire(import.meta.url).resolve('@digdir/designsystemet-css/theme.css'))
const ours = fileURLToPath(new URL('../../public/css', import.meta.url))

/** The components that the views use; the others are left out. */
const components = [
  'alert',
  'avatar',
  'button',
  'card',
  'chip',
  'details',
  'dialog',
  'field',
  'heading',
  'input',
  'label',
  'link',
  'list',
  'paragraph',
  'skip-link',
  'table',
  'tag',
  'validation-message',
]

/**
 * The style sheet of all pages: the design system's theme and components in their layers, then public/css: theme.css in
 * the layer `theme`, the others in `portal`, which takes precedence. The operator's brand overrides theme tokens in the
 * layer `brand` between them. Relative URLs are resolved against `css/portal.css`.
 */
export function styleSheet(brand: string): string {
  return [
    '@layer ds, theme, brand, portal;@layer ds.theme, ds.base, ds.components;',
    theme(),
    `@layer ds.base{${component('base')}}`,
    `@layer ds.components{${components.map(component).join('')}}`,
    ...readdirSync(ours)
      .toSorted()
      .map((file) => readFileSync(join(ours, file), 'utf8')),
    brand,
  ].join('\n')
}

/** The design system's theme, with dark colours on screens only, not in print. */
function theme(): string {
  return readFileSync(join(designSystem, 'designsystemet.css'), 'utf8').replace(
    /@layer ds\.theme\.color-scheme\.dark\{.*?\}(?=@layer )/s,
    '@media screen{$&}',
  )
}

function component(name: string): string {
  return readFileSync(join(designSystem, `../src/${name}.css`), 'utf8')
}
