import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Request, Response } from 'express'
import i18next, { type TFunction } from 'i18next'
import { createFormat, type Format } from './format.ts'

/** What is filled into words. */
type Values = Readonly<Record<string, string | number | undefined>>

/** The words in one language: `t('salesUnits.title')`, `t('pager.range', { from: 1, to: 25 })`. Never HTML. */
export type Translate = (key: string, values?: Values) => string

/** A language as the pages use it; dates and numbers follow the country that it is mostly written in. */
export type Language = {
  readonly code: string
  readonly t: Translate
  /** True when the language has words for this key; for values that the API may add to at any time. */
  readonly has: (key: string) => boolean
  readonly format: Format
}

const locales: Readonly<Record<string, string>> = {
  en: 'en-GB',
  nb: 'nb-NO',
  da: 'da-DK',
  sv: 'sv-SE',
  fi: 'fi-FI',
}

const cookieName = 'language'

/** Reads views/locales/<code>.json for every language there. A missing key in one falls back to English. */
export function loadLanguages(directory: string): ReadonlyMap<string, Language> {
  const codes = readdirSync(directory).map((file) => basename(file, '.json'))
  const resources = Object.fromEntries(
    codes.map((code) => [
      code,
      {
        translation: JSON.parse(readFileSync(join(directory, `${code}.json`), 'utf8')) as Record<string, unknown>,
      },
    ]),
  )
  const i18n = i18next.createInstance()
  void i18n.init({
    resources,
    fallbackLng: 'en',
    initAsync: false,
    // The views escape; doing it here too would show &amp;amp;.
    interpolation: { escapeValue: false },
    returnNull: false,
  })
  return new Map(
    codes.toSorted().map((code) => {
      const t = i18n.getFixedT(code)
      const locale = locales[code] ?? code
      const known = new Set<string>()
      const language: Language = {
        code,
        t: remembering(t, code),
        has: (key) => {
          const isKnown = known.has(key) || i18n.exists(key, { lng: code })
          if (isKnown) known.add(key)
          return isKnown
        },
        format: createFormat(locale),
      }
      return [code, language]
    }),
  )
}

/**
 * What i18next says for each key and plural form, asked once: a page has two hundred of them, and asking anew was a
 * quarter of its time.
 */
function remembering(t: TFunction, code: string): Translate {
  const known = new Map<string, string>()
  const plurals = new Intl.PluralRules(code)
  return (key, values) => {
    const count = values?.['count']
    const form = typeof count === 'number' ? `${key} ${plurals.select(count)}` : key
    let text = known.get(form)
    if (text === undefined) {
      text = t(key, { ...(typeof count === 'number' ? { count } : {}), skipInterpolation: true })
      // Keys that there are; what comes from outside must not fill the memory.
      if (text !== key) known.set(form, text)
    }
    return values ? filled(text, values) : text
  }
}

/** `{{name}}` filled in. Nothing is escaped: the views do that. */
function filled(text: string, values: Values): string {
  return text.replaceAll(/{{(\w+)}}/g, (_whole, name: string) => String(values[name]))
}

/** The user's own choice, else what the browser asks for, else English. */
export function chooseLanguage(languages: ReadonlyMap<string, Language>, req: Request): Language {
  // Whoever takes any language gets the first.
  const asked = req.acceptsLanguages(['en', ...languages.keys(), 'no', 'nn'])
  const fromBrowser = asked === 'no' || asked === 'nn' ? 'nb' : asked
  const chosen = languages.get(cookieOf(req) ?? '') ?? languages.get(fromBrowser || '') ?? languages.get('en')
  if (!chosen) throw new Error('views/locales has no en.json')
  return chosen
}

function cookieOf(req: Request): string | undefined {
  return /(?:^|;\s*)language=([a-z]{2})(?:;|$)/.exec(req.headers.cookie ?? '')?.[1]
}

/** Remembers the choice for a year. The cookie holds two letters and is no secret. */
export function rememberLanguage(res: Response, code: string, https: boolean): void {
  res.cookie(cookieName, code, {
    httpOnly: true,
    sameSite: 'lax',
    secure: https,
    path: '/',
    maxAge: 365 * 86_400_000,
  })
}
