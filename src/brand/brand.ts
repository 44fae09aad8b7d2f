import { deriveAccent, type Scale, type Shortfall } from './accent.ts'
import type { Logo } from './logo.ts'

/** What pages are: dark letters on a light ground, or the other way round. */
export type Scheme = 'light' | 'dark'

/** What the operator says of their brand; all of it may be left out. */
export type BrandSettings = {
  readonly name: string | undefined
  readonly logo: Logo | undefined
  /** As #rrggbb. */
  readonly accent: string | undefined
}

/** The brand as pages have it. */
export type Brand = {
  /** Undefined: the portal's own name, in each language. */
  readonly name: string | undefined
  readonly logo: Logo | undefined
  /** Overrides tokens of public/css/theme.css; empty where there is nothing to override. */
  readonly style: string
}

/**
 * Works the brand out, once, at the start.
 * @returns `problem`: why the accent colour cannot be used, in words, with one that can
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
  const { front, behind, scheme, ratio, least } = worst
  const what = front === 'base-default' ? accent : front
  // Down, so that 2.998 is not said to be the 3 that it misses.
  const measured = (Math.floor(ratio * 100) / 100).toFixed(2)
  return `${what} has a contrast of ${measured}:1 to ${named(behind)} in ${scheme} colours, and ${least}:1 is needed: the nearest colour that has it is ${nearest}`
}

function styleOf({ light, dark }: Readonly<Record<Scheme, Scale>>): string {
  const tokens = Object.keys(light).map((step) => `--ds-color-accent-${step}:light-dark(${light[step]},${dark[step]});`)
  return `@layer brand{:root{${tokens.join('')}}}`
}

function named(name: string): string {
  return name === 'page' ? 'the page' : name
}
