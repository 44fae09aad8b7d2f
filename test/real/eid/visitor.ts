/** A response as a visitor gets it. `url` is the requested one. */
export type Answer = {
  readonly url: URL
  readonly status: number
  readonly location: URL | undefined
  readonly text: string
}

type Sent = { readonly form?: Readonly<Record<string, string>>; readonly json?: unknown; readonly method?: string }

/** A browser without JavaScript that keeps the cookies of each origin and follows no redirect by itself. */
export class Visitor {
  readonly #cookies = new Map<string, Map<string, string>>()

  /** The value of a cookie of this origin. */
  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(origin)?.get(name)
  }

  /** Requests a URL: GET, or POST (or `method`) with a form or JSON. */
  async request(address: string | URL, { form, json, method }: Sent = {}): Promise<Answer> {
    const url = new URL(address)
    const cookies = this.#cookies.get(url.origin) ?? new Map<string, string>()
    this.#cookies.set(url.origin, cookies)
    const body = form ? new URLSearchParams(form) : json === undefined ? undefined : JSON.stringify(json)
    const response = await fetch(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      redirect: 'manual',
      headers: {
        accept: json === undefined ? 'text/html' : 'application/json',
        connection: 'close',
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/;\s*max-age=0|;\s*expires=[^;]*\b(19\d\d|200\d)\b/i.test(cookie) || value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = response.headers.get('location')
    return {
      url,
      status: response.status,
      location: location === null ? undefined : new URL(location, url),
      text: await response.text(),
    }
  }

  /** Follows redirects until a page, or until one leads to an address that begins with `stop`. */
  async follow(address: string | URL, stop?: string): Promise<Answer> {
    let answer = await this.request(address)
    for (let hops = 0; answer.location && hops < 10; hops += 1) {
      if (stop !== undefined && answer.location.href.startsWith(stop)) return answer
      answer = await this.request(answer.location)
    }
    return answer
  }
}
