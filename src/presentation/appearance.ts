import type { Request, Response } from 'express'
import { readPreference, rememberPreference } from './preference-cookie.ts'

/** Light, dark, or as the user's computer is set. */
export const appearances = ['auto', 'light', 'dark'] as const
export type Appearance = (typeof appearances)[number]

const cookieName = 'appearance'

/** What the browser paints its own frame with: the colour of the bar, `--ds-color-neutral-background-default`. */
const bar = { light: '#ffffff', dark: '#17181a' } as const

/** What the head of a page says of its appearance. */
export type PageAppearance = {
  readonly chosen: Appearance
  /** As `<meta name="color-scheme">` and CSS spell it. */
  readonly schemes: string
  readonly themeColors: readonly { readonly color: string; readonly media: string | null }[]
}

const all = { auto: forPages('auto'), light: forPages('light'), dark: forPages('dark') }

/** Whether a value from outside is one of the three. */
export function isAppearance(value: unknown): value is Appearance {
  return appearances.some((appearance) => appearance === value)
}

/** What the user has chosen, else automatic. */
export function chosenAppearance(req: Request): PageAppearance {
  const chosen = readPreference(req, cookieName)
  return all[isAppearance(chosen) ? chosen : 'auto']
}

/** Remembers the choice for a year. The cookie holds a word and is no secret. */
export function rememberAppearance(res: Response, appearance: Appearance, https: boolean): void {
  rememberPreference(res, cookieName, appearance, https)
}

function forPages(appearance: Appearance): PageAppearance {
  return {
    chosen: appearance,
    schemes: appearance === 'auto' ? 'light dark' : appearance,
    themeColors:
      appearance === 'auto'
        ? (['light', 'dark'] as const).map((scheme) => ({
            color: bar[scheme],
            media: `(prefers-color-scheme: ${scheme})`,
          }))
        : [{ color: bar[appearance], media: null }],
  }
}
