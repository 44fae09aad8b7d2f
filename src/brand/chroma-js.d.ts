declare module 'chroma-js' {
  type Mode = 'rgb' | 'oklab'

  export type Color = {
    readonly hex: () => string
    /** As WCAG reckons it, from 0 to 1. */
    luminance(): number
    /** The colour mixed with black or white until it has this luminance. */
    luminance(wanted: number, mode: Mode): Color
  }

  export default function chroma(hex: string): Color
  /** The ratio of WCAG 2, from 1 to 21. */
  export const contrast: (one: string, other: string) => number
}
