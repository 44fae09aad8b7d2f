import type { Mail } from './mailer.ts'

/** The words of one language, as http/language.ts has them. */
type Words = {
  readonly code: string
  readonly t: (key: string, values?: Readonly<Record<string, string | number>>) => string
}

/**
 * The mail with a one-time code. It has no link, no picture and no name in it: nothing that could sign anybody in, tell
 * the sender that it was read, or carry words that somebody else than the operator has chosen.
 * @param values.name the portal's name, where the operator has given it one
 * @param render renders a view by its name, without the layout
 */
export function codeMail(
  { code: language, t }: Words,
  values: {
    readonly code: string
    readonly minutes: number
    readonly host: string
    readonly name?: string | undefined
  },
  render: (view: string, locals: Readonly<Record<string, unknown>>) => string,
): Mail {
  const { minutes, host, name } = values
  const code = values.code.replace(/^(\d{3})(?=\d{3}$)/, '$1 ')
  const lead = name === undefined ? t('codeMail.lead', { host }) : t('brand.mailLead', { host, name })
  const valid = t('codeMail.valid', { minutes })
  const notYou = t('codeMail.notYou')
  const subject = name === undefined ? t('codeMail.subject') : t('brand.mailSubject', { name })
  return {
    subject,
    language,
    text: `${[lead, `    ${code}`, valid, notYou].join('\n\n')}\n`,
    html: render('mail/code', { language, subject, lead, code, valid, notYou }),
  }
}
