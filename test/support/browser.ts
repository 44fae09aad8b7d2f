import * as cheerio from 'cheerio'
import request from 'supertest'
import english from '../../views/locales/en.json' with { type: 'json' }

/** A page as loaded. `url` is the final URL after all redirects. */
export type Visit = {
  readonly url: URL
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly $: cheerio.CheerioAPI
  /** The text of the main part, white space collapsed. */
  readonly words: string
}

const maxRedirects = 10

/** The API has members of this name. */
const groups = Object.keys(english).filter((group) => group !== 'configuration')

/** The name of a message: a page shows it when there is no such message. */
const messageKey = new RegExp(`(?<![\\w./@:(-])(${groups.join('|')})\\.[a-z]\\w*(\\.\\w+)*`, 'g')

/** How far to follow redirects: to the end by default, not at all, or until one leads to the path `until`. */
type Following = { readonly follow?: boolean; readonly until?: string }

/**
 * A browser without rendering or JavaScript: keeps cookies, follows redirects and submits forms, over real HTTP.
 * Throws when a page shows the name of a message.
 */
export class Browser {
  readonly #origin: string
  readonly #agents = new Map<string, ReturnType<typeof request.agent>>()
  #at: Visit | undefined
  #headers: Readonly<Record<string, string>> = {}

  constructor(origin: string) {
    this.#origin = origin
  }

  #agent({ origin }: URL) {
    const agent = this.#agents.get(origin) ?? request.agent(origin)
    this.#agents.set(origin, agent)
    return agent
  }

  async #send(
    method: 'get' | 'post',
    url: URL,
    form: Record<string, string> | URLSearchParams | undefined,
    headers: Record<string, string>,
    { follow = true, until }: Following,
    hops = maxRedirects,
  ): Promise<Visit> {
    const call = this.#agent(url)
      [method](`${url.pathname}${url.search}`)
      .redirects(0)
      .set({ Accept: 'text/html', ...this.#headers, ...headers })
    const answer = await (form ? call.type('form').send(new URLSearchParams(form).toString()) : call)
    const location = answer.headers['location']
    if (answer.status >= 300 && answer.status < 400 && location && follow && hops > 0) {
      const next = new URL(location, url)
      if (next.pathname !== until)
        return this.#send('get', next, undefined, headers, { follow, ...(until ? { until } : {}) }, hops - 1)
    }
    const $ = cheerio.load(answer.text ?? '')
    const isPage = String(answer.headers['content-type']).startsWith('text/html')
    const keys = isPage && $('body').text().match(messageKey)
    if (keys) throw new Error(`${url.href} shows names of messages instead of their texts: ${keys.join(', ')}`)
    const words = $('main').text().replace(/\s+/g, ' ').trim()
    this.#at = {
      url,
      status: answer.status,
      headers: answer.headers,
      text: answer.text ?? '',
      $,
      words,
    }
    return this.#at
  }

  /** Sends these headers with every request from now on, as another browser or a proxy in front does. */
  with(headers: Readonly<Record<string, string>>): this {
    this.#headers = headers
    return this
  }

  /** Opens a path of the portal or an absolute URL. `follow: false` stops at the first response. */
  async open(path: string, options: Following & { headers?: Record<string, string> } = {}): Promise<Visit> {
    return this.#send('get', new URL(path, this.#origin), undefined, options.headers ?? {}, options)
  }

  /** Posts these fields, whether or not a page has such a form. */
  async post(path: string, form: Record<string, string> | URLSearchParams, options: Following = {}): Promise<Visit> {
    return this.#send('post', new URL(path, this.#origin), form, {}, options)
  }

  /**
   * Presses a button of the current page: submits its form with the hidden fields and the button's own value.
   * @param options.typed values for its fields, by name
   */
  async press(
    button: string,
    options: Following & { readonly typed?: Readonly<Record<string, string>> } = {},
  ): Promise<Visit> {
    if (!this.#at) throw new Error('no page is open')
    const { $, url } = this.#at
    const pressed = $('button')
      .filter((_, element) => $(element).text().includes(button))
      .first()
    const form = pressed.closest('form')
    if (form.length === 0) throw new Error(`no form has a button "${button}" at ${url.href}`)
    const fields: Record<string, string> = {}
    for (const element of form.find('input[name]:not([type=checkbox]), select[name]').toArray())
      fields[String($(element).attr('name'))] = String($(element).val() ?? '')
    for (const [name, value] of Object.entries(options.typed ?? {})) {
      if (fields[name] === undefined) throw new Error(`the form has no field "${name}" at ${url.href}`)
      fields[name] = value
    }
    const name = pressed.attr('name')
    if (name) fields[name] = pressed.attr('value') ?? ''
    return this.#send('post', new URL(form.attr('action') ?? '', url), fields, {}, options)
  }

  /** Follows the first link with this text on the current page. */
  async follow(text: string): Promise<Visit> {
    if (!this.#at) throw new Error('no page is open')
    const { $, url } = this.#at
    const link = $('a')
      .filter((_, element) => $(element).text().includes(text))
      .first()
    if (link.length === 0) throw new Error(`no link "${text}" at ${url.href}`)
    return this.open(new URL(String(link.attr('href')), url).href)
  }

  /** The value of this cookie of the portal, as it is sent. */
  cookie(name: string): string | undefined {
    return this.cookies().find((cookie) => cookie.name === name)?.value
  }

  /** All cookies of the portal, as they are sent. */
  cookies(): readonly { readonly name: string; readonly value: string }[] {
    const { hostname } = new URL(this.#origin)
    const { jar } = this.#agent(new URL(this.#origin))
    return [...jar.getCookies({ domain: hostname, path: '/', secure: false, script: false })]
  }

  /** Sets a cookie of the portal, as another tab or an attacker could. */
  plant(name: string, value: string): void {
    const { hostname } = new URL(this.#origin)
    this.#agent(new URL(this.#origin)).jar.setCookie(`${name}=${value}; Path=/`, hostname, '/')
  }

  /** Signs in at the demo eID as this demo person, from the sign-in page. */
  async signIn(name: string, from = '/'): Promise<Visit> {
    await this.open(from)
    await this.follow('Sign in with eID')
    return this.press(name)
  }
}
