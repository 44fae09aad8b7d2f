import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Request, Response } from 'express'
import { createFormat, type Format } from './format.ts'
import { readPreference, rememberPreference } from './preference-cookie.ts'

/** What is filled into a message. */
type Values = Readonly<Record<string, string | number | undefined>>

/** The messages in one language: `t('salesUnits.title')`, `t('pager.range', { from: 1, to: 25 })`. Never HTML. */
export type Translate = (key: string, values?: Values) => string

/** A language as the pages use it; dates and numbers follow the country that it is mostly written in. */
export type Language = {
  readonly code: string
  readonly t: Translate
  /** True when there is a message for this key; for values that the API may add to at any time. */
  readonly has: (key: string) => boolean
  /** The message for this key, or the value itself where there is none: the API may add values at any time. */
  readonly label: (key: string, value: string) => string
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

/**
 * Reads views/locales/<code>.json for every language there. A key that one lacks is English; one that English lacks, too,
 * is shown as it is.
 */
export function loadLanguages(directory: string): ReadonlyMap<string, Language> {
  const codes = readdirSync(directory)
    .map((file) => basename(file, '.json'))
    .toSorted()
  const messages = new Map(codes.map((code) => [code, readMessages(join(directory, `${code}.json`))]))
  const fallback = messages.get('en') ?? new Map<string, string>()
  return new Map([...messages].map(([code, own]) => [code, languageOf(code, own, fallback)]))
}

type Messages = ReadonlyMap<string, string>

/** All messages of a file by their whole keys, such as `salesUnits.title`. */
function readMessages(file: string): Messages {
  const messages = new Map<string, string>()
  function add(tree: Readonly<Record<string, unknown>>, prefix: string): void {
    for (const [name, value] of Object.entries(tree)) {
      if (typeof value === 'string') messages.set(prefix + name, value)
      else add(value as Readonly<Record<string, unknown>>, `${prefix}${name}.`)
    }
  }
  add(JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>, '')
  return messages
}

function languageOf(code: string, messages: Messages, fallback: Messages): Language {
  const plurals = new Intl.PluralRules(code)
  const all = new Map([...fallback, ...messages])
  return {
    code,
    t: (key, values) => {
      if (!values) return all.get(key) ?? key
      const { count } = values
      const form = typeof count === 'number' ? all.get(`${key}_${plurals.select(count)}`) : undefined
      return fill(form ?? all.get(key) ?? key, values)
    },
    has: (key) => all.has(key),
    label: (key, value) => all.get(key) ?? value,
    format: createFormat(locales[code] ?? code),
  }
}

/** `{{name}}` filled in. Nothing is escaped: the views do that. */
function fill(text: string, values: Values): string {
  return text.replaceAll(/{{(\w+)}}/g, (_whole, name: string) => String(values[name]))
}

/** The user's own choice, else what the browser asks for, else English. */
export function chooseLanguage(languages: ReadonlyMap<string, Language>, req: Request): Language {
  // A browser that takes any language gets the first.
  const asked = req.acceptsLanguages(['en', ...languages.keys(), 'no', 'nn'])
  const fromBrowser = asked === 'no' || asked === 'nn' ? 'nb' : asked
  const chosen =
    languages.get(readPreference(req, cookieName) ?? '') ?? languages.get(fromBrowser || '') ?? languages.get('en')
  if (!chosen) throw new Error('views/locales has no en.json')
  return chosen
}

/** Remembers the choice for a year. The cookie holds two letters and is no secret. */
export function rememberLanguage(res: Response, code: string, https: boolean): void {
  rememberPreference(res, cookieName, code, https)
}
