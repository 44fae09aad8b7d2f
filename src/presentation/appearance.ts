import type { Request, Response } from 'express'
import { readPreference, rememberPreference } from './preference-cookie.ts'

/** Light, dark, or the setting of the user's computer. */
export const appearances = ['auto', 'light', 'dark'] as const
/** A user's choice of appearance. */
export type Appearance = (typeof appearances)[number]

const cookieName = 'appearance'

/** The colour of the browser's own bar, `--ds-color-neutral-background-default`. */
const bar = { light: '#ffffff', dark: '#17181a' } as const

/** The appearance for the head of a page. */
export type PageAppearance = {
  readonly chosen: Appearance
  /** The value of `<meta name="color-scheme">` and of CSS `color-scheme`. */
  readonly schemes: string
  readonly themeColors: readonly { readonly color: string; readonly media: string | null }[]
}

const all = { auto: forPages('auto'), light: forPages('light'), dark: forPages('dark') }

/** True for one of the three values. */
export function isAppearance(value: unknown): value is Appearance {
  return appearances.some((appearance) => appearance === value)
}

/** The user's choice, else automatic. */
export function chosenAppearance(req: Request): PageAppearance {
  const chosen = readPreference(req, cookieName)
  return all[isAppearance(chosen) ? chosen : 'auto']
}

/** Stores the choice in a cookie for a year. */
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
