import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { deriveAccent } from '../../src/brand/accent.ts'
import { createBrand } from '../../src/brand/brand.ts'

function channel(value: number): number {
  return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

function luminanceOf(hex: string): number {
  return [1, 3, 5]
    .map((at) => channel(Number.parseInt(hex.slice(at, at + 2), 16) / 255))
    .reduce((sum, value, at) => sum + value * ([0.2126, 0.7152, 0.0722][at] ?? 0), 0)
}

/** The contrast as WCAG 2.2 defines it, computed without the portal's library. */
function contrast(one: string, other: string): number {
  const [more = 0, less = 0] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => b - a)
  return (more + 0.05) / (less + 0.05)
}

const page = { light: '#f3f3f4', dark: '#1e2022' }
const steps = ['00', '80', 'ff']
const sample = steps.flatMap((red) => steps.flatMap((green) => steps.map((blue) => `#${red}${green}${blue}`)))

describe('an accent colour', () => {
  it.each(sample)('%s has enough contrast, or the error names the nearest one that has', async (accent) => {
    const derived = await deriveAccent(accent)
    const hasRoom = contrast(accent, page.light) >= 3
    expect(derived.shortfalls.map(({ front, background }) => [front, background])).toEqual(
      hasRoom ? [] : [['base-default', 'page']],
    )
    const { scales } = hasRoom ? derived : await deriveAccent(derived.nearest)
    for (const scheme of ['light', 'dark'] as const) {
      const of = (step: string) => String({ ...scales[scheme], page: page[scheme] }[step])
      const ratio = (front: string, behind: string) => contrast(of(front), of(behind))
      for (const behind of ['base-default', 'base-hover', 'base-active'])
        expect(ratio('base-contrast-default', behind)).toBeGreaterThanOrEqual(4.5)
      for (const behind of ['page', 'surface-default', 'surface-tinted', 'background-tinted'])
        expect(ratio('text-subtle', behind)).toBeGreaterThanOrEqual(4.5)
      for (const behind of ['page', 'surface-hover', 'surface-active'])
        expect(ratio('text-default', behind)).toBeGreaterThanOrEqual(7)
      for (const front of ['base-default', 'border-default', 'border-strong'])
        expect(ratio(front, 'page')).toBeGreaterThanOrEqual(3)
    }
  })
})

it('the accent colour is kept on light pages, and on dark ones if it is light enough', async () => {
  const { scales } = await deriveAccent('#5b3fa0')
  expect(scales.light['base-default']).toBe('#5b3fa0')
  expect(scales.dark['base-default']).not.toBe('#5b3fa0')
  expect((await deriveAccent('#ff7a00')).scales.dark['base-default']).toBe('#ff7a00')
})

it.each([
  ['#ff5b24', '2.79'],
  ['#ffcc00', '1.36'],
  ['#ffffff', '1.10'],
])(
  'the accent colour %s with a contrast of %s:1 is refused, and the suggested one is accepted',
  async (accent, ratio) => {
    const refused = await createBrand({ name: undefined, logo: undefined, accent })
    const problem = 'problem' in refused ? refused.problem : ''
    expect(problem).toContain(
      `${accent} has a contrast of ${ratio}:1 to the page in light colours; at least 3:1 is required`,
    )
    const [nearest = ''] = problem.match(/#[\da-f]{6}$/) ?? []
    expect(contrast(nearest, page.light)).toBeGreaterThanOrEqual(3)
    expect(contrast(nearest, page.light)).toBeLessThan(3.1)
    expect(await createBrand({ name: undefined, logo: undefined, accent: nearest })).toHaveProperty('style')
  },
)

it('the brand style sheet overrides exactly the colours of the theme', async () => {
  const theme = readFileSync(new URL('../../public/css/theme.css', import.meta.url), 'utf8')
  const brand = await createBrand({ name: undefined, logo: undefined, accent: '#5b3fa0' })
  const style = 'style' in brand ? brand.style : ''
  const namesIn = (css: string) => [...css.matchAll(/(--ds-[\w-]+):\s*light-dark\(/g)].map(([, name]) => String(name))
  expect(namesIn(style).toSorted()).toEqual(namesIn(theme).toSorted())
  expect(style).toMatch(/^@layer brand\{:root\{(--ds-color-accent-[\w-]+:light-dark\(#[\da-f]{6},#[\da-f]{6}\);)+\}\}$/)
})
