import { deriveAccent, type Scale, type Shortfall } from './accent.ts'
import type { Logo } from './logo.ts'

/** The colour scheme of a page. */
export type Scheme = 'light' | 'dark'

/** The operator's brand settings; all are optional. */
export type BrandSettings = {
  readonly name: string | undefined
  readonly logo: Logo | undefined
  /** As #rrggbb. */
  readonly accent: string | undefined
}

/** The brand for the pages. */
export type Brand = {
  /** Undefined: the portal's default name in each language. */
  readonly name: string | undefined
  readonly logo: Logo | undefined
  /** CSS that overrides tokens of public/css/theme.css; may be empty. */
  readonly style: string
}

/**
 * Computes the brand once, at start.
 * @returns `problem`: why the accent colour has too little contrast, with the nearest colour that has enough
 */
export async function createBrand({
  name,
  logo,
  accent,
}: BrandSettings): Promise<Brand | { readonly problem: string }> {
  if (accent === undefined) return { name, logo, style: '' }
  const { scales, shortfalls, nearest } = await deriveAccent(accent)
  if (shortfalls.length > 0) return { problem: inWords(accent, shortfalls, nearest) }
  return { name, logo, style: styleOf(scales) }
}

function inWords(accent: string, shortfalls: readonly Shortfall[], nearest: string): string {
  const [worst] = shortfalls.toSorted((a, b) => a.ratio / a.least - b.ratio / b.least)
  if (!worst) return ''
  const { front, background, scheme, ratio, least } = worst
  const what = front === 'base-default' ? accent : front
  // Rounded down, so that 2.998 is not shown as the required 3.
  const measured = (Math.floor(ratio * 100) / 100).toFixed(2)
  return `${what} has a contrast of ${measured}:1 to ${named(background)} in ${scheme} colours; at least ${least}:1 is required: the nearest valid colour is ${nearest}`
}

function styleOf({ light, dark }: Readonly<Record<Scheme, Scale>>): string {
  const tokens = Object.keys(light).map((step) => `--ds-color-accent-${step}:light-dark(${light[step]},${dark[step]});`)
  return `@layer brand{:root{${tokens.join('')}}}`
}

function named(name: string): string {
  return name === 'page' ? 'the page' : name
}
