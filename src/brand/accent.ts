import type { Scheme } from './brand.ts'

/** The steps of a Designsystemet colour; each is the token `--ds-color-accent-<step>`. */
export type Scale = Readonly<Record<string, string>>

/**
 * The WCAG luminance of each step, which all scales of Designsystemet share. Contrast only depends on it, so every text
 * keeps its contrast on its surfaces, whatever the hue.
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

/** The background of pages: `--ds-color-neutral-background-tinted`. */
const pages: Readonly<Record<Scheme, string>> = { light: '#f3f3f4', dark: '#1e2022' }

/** On dark pages darker colours are lightened to this luminance, as Designsystemet does with its own. */
const leastLuminanceOnDark = 0.263

/** The minimum contrast of WCAG 2.2: 1.4.11 for shapes, 1.4.3 for text. */
const leastOfShapes = 3
const leastOfText = 4.5
type Colours = Awaited<ReturnType<typeof colours>>

/** Pairs of colours that need a minimum contrast. */
const pairs: readonly (readonly [front: string, background: string, least: number])[] = [
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

/** A pair of colours without the required contrast. */
export type Shortfall = {
  readonly scheme: Scheme
  readonly front: string
  readonly background: string
  readonly ratio: number
  readonly least: number
}

/** An accent colour for light and dark pages, its contrast shortfalls, and the nearest colour without any. */
export type Accent = {
  readonly scales: Readonly<Record<Scheme, Scale>>
  readonly shortfalls: readonly Shortfall[]
  readonly nearest: string
}

/**
 * Derives all steps from one colour. Light pages use the colour unchanged; dark ones may lighten it.
 * @param hex such as #0b6a53
 */
export async function deriveAccent(hex: string): Promise<Accent> {
  const tools = await colours()
  const scales = { light: scaleOf(tools, hex, 'light'), dark: scaleOf(tools, hex, 'dark') }
  return { scales, shortfalls: shortfallsOf(tools, scales), nearest: nearest(tools, hex) }
}

// Loaded only with a custom accent colour, to save memory otherwise.
async function colours() {
  const { default: chroma, contrast } = await import('chroma-js')
  const lit = (hex: string, luminance: number): string => chroma(hex).luminance(Math.min(luminance, 1), 'oklab').hex()
  return { luminanceOf: (hex: string) => chroma(hex).luminance(), lit, contrast }
}

function scaleOf({ lit, luminanceOf, contrast }: Colours, accent: string, scheme: Scheme): Scale {
  const isTooDark = scheme === 'dark' && luminanceOf(accent) < leastLuminanceOnDark
  const base = isTooDark ? lit(accent, leastLuminanceOnDark) : accent
  const isWhiteOn = contrast('#ffffff', base) >= leastOfText
  // Hover and active move away from the text colour, which can only increase the contrast.
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
      .map(([front, background, least]) => ({
        scheme,
        front,
        background,
        least,
        ratio: contrast(String(colour[front]), String(colour[background])),
      }))
      .filter(({ ratio, least }) => ratio < least)
  })
}

/** The lightest colour of the same hue with enough contrast to a light page. */
function nearest(tools: Colours, accent: string): string {
  let luminance = tools.luminanceOf(accent)
  let hex = accent
  while (tools.contrast(hex, pages.light) < leastOfShapes) hex = tools.lit(accent, (luminance -= 0.001))
  return hex
}
