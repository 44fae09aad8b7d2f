import type { Scheme } from './brand.ts'

/** The steps of a colour of Designsystemet; each is the token `--ds-color-accent-<step>`. */
export type Scale = Readonly<Record<string, string>>

/**
 * How light each step is, as WCAG reckons it: what all scales of Designsystemet have in common. Contrast follows from that
 * alone, so that every text holds on every surface that it was made for, whatever the hue.
 */
const luminances: Readonly<Record<Scheme, Readonly<Record<string, number>>>> = {
  light: {
    'background-default': 1,
    'background-tinted': 0.898,
    'surface-default': 1,
    'surface-tinted': 0.809,
    'surface-hover': 0.7,
    'surface-active': 0.591,
    'border-subtle': 0.5,
    'border-default': 0.189,
    'border-strong': 0.109,
    'text-subtle': 0.109,
    'text-default': 0.024,
  },
  dark: {
    'background-default': 0.009,
    'background-tinted': 0.014,
    'surface-default': 0.021,
    'surface-tinted': 0.027,
    'surface-hover': 0.036,
    'surface-active': 0.056,
    'border-subtle': 0.08,
    'border-default': 0.22,
    'border-strong': 0.39,
    'text-subtle': 0.39,
    'text-default': 0.84,
  },
}

/** What pages lie on: `--ds-color-neutral-background-tinted`. */
const pages: Readonly<Record<Scheme, string>> = { light: '#f3f3f4', dark: '#1e2022' }

/** On dark pages a colour that is darker than this is lightened to it, as Designsystemet lightens its own. */
const leastInTheDark = 0.263

/** WCAG 2.2: 1.4.11 for what one must see, 1.4.3 for what one must read. */
const leastOfShapes = 3
const leastOfText = 4.5
type Colours = Awaited<ReturnType<typeof colours>>

/** What must be told from what, and how well. */
const pairs: readonly (readonly [front: string, behind: string, least: number])[] = [
  ['base-contrast-default', 'base-default', leastOfText],
  ['base-contrast-default', 'base-hover', leastOfText],
  ['base-contrast-default', 'base-active', leastOfText],
  ['text-subtle', 'page', leastOfText],
  ['text-subtle', 'surface-tinted', leastOfText],
  ['text-default', 'page', leastOfText],
  ['text-default', 'surface-active', leastOfText],
  ['border-default', 'page', leastOfShapes],
  ['base-default', 'page', leastOfShapes],
]

/** A pair of colours that are too much alike. */
export type Shortfall = {
  readonly scheme: Scheme
  readonly front: string
  readonly behind: string
  readonly ratio: number
  readonly least: number
}

/** An accent colour for light and for dark pages, what of it cannot be told apart, and the nearest colour that can. */
export type Accent = {
  readonly scales: Readonly<Record<Scheme, Scale>>
  readonly shortfalls: readonly Shortfall[]
  readonly nearest: string
}

/**
 * Derives all steps from one colour. On light pages the colour stands as it is; on dark ones it may be lightened.
 * @param hex such as #0b6a53
 */
export async function deriveAccent(hex: string): Promise<Accent> {
  const its = await colours()
  const scales = { light: scaleOf(its, hex, 'light'), dark: scaleOf(its, hex, 'dark') }
  return { scales, shortfalls: shortfallsOf(its, scales), nearest: nearest(its, hex) }
}

// Loaded by who has an accent colour of their own only: others need not keep it in memory.
async function colours() {
  const { default: chroma, contrast } = await import('chroma-js')
  const lit = (hex: string, luminance: number): string => chroma(hex).luminance(Math.min(luminance, 1), 'oklab').hex()
  return { luminanceOf: (hex: string) => chroma(hex).luminance(), lit, contrast }
}

function scaleOf({ lit, luminanceOf, contrast }: Colours, accent: string, scheme: Scheme): Scale {
  const isTooDark = scheme === 'dark' && luminanceOf(accent) < leastInTheDark
  const base = isTooDark ? lit(accent, leastInTheDark) : accent
  const isWhiteOn = contrast('#ffffff', base) >= leastOfText
  // Under the pointer it goes away from its text, which can only be read better then.
  const [hover, active] = isWhiteOn ? [0.64, 0.38] : [1.35, 1.8]
  const own = luminanceOf(base)
  const steps = Object.entries(luminances[scheme]).map(([step, luminance]) => [step, lit(accent, luminance)])
  return {
    ...(Object.fromEntries(steps) as Scale),
    'base-default': base,
    'base-hover': lit(base, own * hover),
    'base-active': lit(base, own * active),
    'base-contrast-subtle': lit(base, isWhiteOn ? Math.min((own + 0.05) * 5, 1) : (own + 0.05) / 5 - 0.05),
    'base-contrast-default': isWhiteOn ? '#ffffff' : '#000000',
  }
}

function shortfallsOf({ contrast }: Colours, accent: Readonly<Record<Scheme, Scale>>): Shortfall[] {
  return (['light', 'dark'] as const).flatMap((scheme) => {
    const colour: Scale = { ...accent[scheme], page: pages[scheme] }
    return pairs
      .map(([front, behind, least]) => ({
        scheme,
        front,
        behind,
        least,
        ratio: contrast(String(colour[front]), String(colour[behind])),
      }))
      .filter(({ ratio, least }) => ratio < least)
  })
}

/** The lightest colour of the same hue that can be told from a light page. */
function nearest(its: Colours, accent: string): string {
  let luminance = its.luminanceOf(accent)
  let hex = accent
  while (its.contrast(hex, pages.light) < leastOfShapes) hex = its.lit(accent, (luminance -= 0.001))
  return hex
}
