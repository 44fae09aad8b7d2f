import type { Request, RequestHandler } from 'express'
import type { Organisation } from '../domain/organisation.ts'
import { appearances, chosenAppearance } from './appearance.ts'
import { avatarOf, initialsOf } from './avatar.ts'
import { identifierOf } from './highlight.ts'
import { chooseLanguage, type Language } from './language.ts'
import { accountText, postTownOf } from './national.ts'
import { plain } from './plain.ts'

declare global {
  namespace Express {
    interface Locals {
      /** The request id in log and error pages. */
      requestId: string
      /** The pattern of the route, such as /partners/:partnerId/sales-units; for the log. */
      route?: string
      language: Language
      /** The organisation that the user acts as; null on pages outside both portals. */
      organisation: Organisation | null
      user: Express.User | null
      /** The path to return to after another page, such as the sign-in. */
      returnTo: string
    }
  }
}

/** Marks every page as a demo. `inboxUrl` is the page that shows sent mails. */
export type DemoNotice = { readonly inboxUrl: string }

/** Sets the locals that every view may read; handlers add the rest. */
export function viewLocals(options: {
  readonly languages: ReadonlyMap<string, Language>
  readonly asset: (path: string) => string
  /** The URL of the brand's logo. */
  readonly logo: string | null
  /** The brand's name, if the operator has configured one. */
  readonly name: string | undefined
  /** What the operator says about support, the address that users may write to, and where they give feedback. */
  readonly config: Readonly<Record<'supportText' | 'supportEmail' | 'feedbackUrl', string | undefined>>
  readonly demoNotice: DemoNotice | undefined
  /** The token for a form in the request's session. */
  readonly csrfToken: (req: Request) => string
}): RequestHandler {
  const languageCodes = [...options.languages.keys()]
  return (req, res, next) => {
    const language = chooseLanguage(options.languages, req)
    let token: string | undefined
    Object.assign(res.locals, {
      language,
      languageCodes,
      appearance: chosenAppearance(req),
      appearances,
      t: language.t,
      has: language.has,
      label: language.label,
      labelOfCode: language.labelOfCode,
      format: language.format,
      identifierOf,
      accountText,
      postTownOf,
      avatarOf,
      initialsOf,
      plain,
      asset: options.asset,
      logo: options.logo,
      portalName: options.name ?? language.t('portal.name'),
      hasOwnName: options.name !== undefined,
      demoNotice: options.demoNotice,
      support: { text: options.config.supportText, email: options.config.supportEmail },
      feedbackUrl: options.config.feedbackUrl,
      mailTo: (subject: string, text: string) => mailTo(options.config.supportEmail, subject, text),
      organisation: null,
      user: null,
      sessionEnd: null,
      sessionEndsSoon: false,
      menu: [],
      switcher: null,
      steps: null,
      base: '',
      // Two slashes at the start would name another host.
      returnTo: req.originalUrl.replace(/^[/\\]+/, '/'),
      csrfToken: () => (token ??= options.csrfToken(req)),
      // htmx swaps the results of a list, or of the search in the bar, into the existing page.
      alone: ['div#results', 'div#suggestions'].includes(req.get('HX-Target') ?? ''),
    })
    next()
  }
}

/** The URL of a mail that is already filled in; '' without an address. */
function mailTo(address: string | undefined, subject: string, text: string): string {
  if (address === undefined) return ''
  const [to, titled, body] = [address, subject, text.replaceAll('\n', '\r\n')].map(encodeURIComponent)
  return `mailto:${to?.replace('%40', '@')}?subject=${titled}&body=${body}`
}
