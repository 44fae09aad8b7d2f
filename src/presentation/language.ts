import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Request, Response } from 'express'
import { createFormat, type Format } from './format.ts'
import { readPreference, rememberPreference } from './preference-cookie.ts'

/** The values of a message's placeholders. */
type Values = Readonly<Record<string, string | number | undefined>>

/** Translates a key: `t('salesUnits.title')`, `t('pager.range', { from: 1, to: 25 })`. Never returns HTML. */
export type Translate = (key: string, values?: Values) => string

/** A language of the pages; dates, times and numbers follow its main country. */
export type Language = {
  readonly code: string
  readonly t: Translate
  /** True when the key has a message; for values that the API may extend. */
  readonly has: (key: string) => boolean
  /** The message of the key, else the value; for values that the API may extend. */
  readonly label: (key: string, value: string) => string
  /** The message of the key, else a new code of the API in words and as it is: "On hold (ON_HOLD)". */
  readonly labelOfCode: (key: string, code: string) => string
  readonly format: Format
}

/** The locale of each language, and the time zone of its country. English has none: its readers may be anywhere. */
const locales: Readonly<Record<string, readonly [locale: string, homeZone?: string]>> = {
  en: ['en-GB'],
  nb: ['nb-NO', 'Europe/Oslo'],
  da: ['da-DK', 'Europe/Copenhagen'],
  sv: ['sv-SE', 'Europe/Stockholm'],
  fi: ['fi-FI', 'Europe/Helsinki'],
}

const cookieName = 'language'

/**
 * Loads views/locales/<code>.json for every language. A missing key falls back to English, then to the key itself.
 * @param service the name of the operator of the APIs, for `{{service}}` in any message
 */
export function loadLanguages(directory: string, service: string): ReadonlyMap<string, Language> {
  const codes = readdirSync(directory)
    .map((file) => basename(file, '.json'))
    .toSorted()
  const messages = new Map(codes.map((code) => [code, readMessages(join(directory, `${code}.json`), service)]))
  const fallback = messages.get('en') ?? new Map<string, string>()
  return new Map([...messages].map(([code, own]) => [code, languageOf(code, own, fallback)]))
}

type Messages = ReadonlyMap<string, string>

/** The messages of a file by full key, such as `salesUnits.title`. */
function readMessages(file: string, service: string): Messages {
  const messages = new Map<string, string>()
  function add(tree: Readonly<Record<string, unknown>>, prefix: string): void {
    for (const [name, value] of Object.entries(tree)) {
      if (typeof value === 'string')
        messages.set(
          prefix + name,
          value.replaceAll('{{service}}', () => service),
        )
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
    labelOfCode: (key, value) => all.get(key) ?? inWords(value),
    format: createFormat(...(locales[code] ?? [code])),
  }
}

/** "On hold (ON_HOLD)"; other text than codes in capitals is unchanged. */
function inWords(code: string): string {
  if (!/^[A-Z][A-Z\d]+(_[A-Z\d]+)*$/.test(code)) return code
  const words = code.toLowerCase().replaceAll('_', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} (${code})`
}

/** A part of a message: its text, or a value that the view shows in its own way. */
export type MessagePart = { readonly text: string; readonly isValue: boolean }

/** A message in parts, text and value in turn, beginning with text. `values` are of its text. */
export function messageParts(
  t: Translate,
  key: string,
  shown: Readonly<Record<string, string>> = {},
  values: Values = {},
): MessagePart[] {
  const places = Object.fromEntries(Object.keys(shown).map((name) => [name, `\0${name}\0`]))
  const parts = t(key, { ...values, ...places }).split('\0')
  return parts.map((part, at) => ({ text: at % 2 === 1 ? (shown[part] ?? '') : part, isValue: at % 2 === 1 }))
}

/** Replaces `{{name}}`. The views escape the result. */
function fill(text: string, values: Values): string {
  return text.replaceAll(/{{(\w+)}}/g, (_whole, name: string) => String(values[name]))
}

/** The user's choice, else the browser's Accept-Language, else English. */
export function chooseLanguage(languages: ReadonlyMap<string, Language>, req: Request): Language {
  // Accept-Language * gets the first of these.
  const asked = req.acceptsLanguages(['en', ...languages.keys(), 'no', 'nn'])
  const fromBrowser = asked === 'no' || asked === 'nn' ? 'nb' : asked
  const chosen =
    languages.get(readPreference(req, cookieName) ?? '') ?? languages.get(fromBrowser || '') ?? languages.get('en')
  if (!chosen) throw new Error('en.json is missing in views/locales')
  return chosen
}

/** Stores the choice in a cookie for a year. */
export function rememberLanguage(res: Response, code: string, https: boolean): void {
  rememberPreference(res, cookieName, code, https)
}
