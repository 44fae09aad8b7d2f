declare module 'chroma-js' {
  type Mode = 'rgb' | 'oklab'

  export type Color = {
    readonly hex: () => string
    /** The WCAG luminance, from 0 to 1. */
    luminance(): number
    /** The colour mixed with black or white to this luminance. */
    luminance(target: number, mode: Mode): Color
  }

  export default function chroma(hex: string): Color
  /** The contrast ratio of WCAG 2, from 1 to 21. */
  export const contrast: (one: string, other: string) => number
}
