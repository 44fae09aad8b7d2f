import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const designSystem = dirname(createRequire(import.meta.url).resolve('@digdir/designsystemet-css/theme.css'))
const ours = fileURLToPath(new URL('../../public/css', import.meta.url))

/** The components that the views use; a page need not carry the other half of the design system. */
const components = [
  'alert',
  'avatar',
  'badge',
  'breadcrumbs',
  'button',
  'card',
  'chip',
  'details',
  'dialog',
  'divider',
  'dropdown',
  'field',
  'fieldset',
  'heading',
  'input',
  'label',
  'link',
  'list',
  'pagination',
  'paragraph',
  'popover',
  'skip-link',
  'table',
  'tabs',
  'tag',
  'toggle-group',
  'validation-message',
]

const component = (name: string): string => readFileSync(join(designSystem, `../src/${name}.css`), 'utf8')

/**
 * The one style sheet of all pages: the design system's theme and components in its layers, then every file of
 * public/css in the layer `portal`, which wins without a fight. Its relative URLs are of `css/portal.css`.
 */
export const styleSheet = (): string =>
  [
    '@layer ds, portal;@layer ds.theme, ds.base, ds.components;',
    readFileSync(join(designSystem, 'designsystemet.css'), 'utf8'),
    `@layer ds.base{${component('base')}}`,
    `@layer ds.components{${components.map(component).join('')}}`,
    ...readdirSync(ours)
      .toSorted()
      .map((file) => readFileSync(join(ours, file), 'utf8')),
  ].join('\n')
