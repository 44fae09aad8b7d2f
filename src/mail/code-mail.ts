import type { Mail } from './mailer.ts'

/** A language, as presentation/language.ts has it. */
type MailLanguage = {
  readonly code: string
  readonly t: (key: string, values?: Readonly<Record<string, string | number>>) => string
}

/**
 * The mail with a one-time code. It contains no link, image or user's name: nothing that signs in, tracks reading, or
 * carries text of a third party.
 * @param values.name the portal's name, when the operator has configured one
 * @param render renders a view by its path, without the layout
 */
export function codeMail(
  { code: language, t }: MailLanguage,
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
  const valid = t('codeMail.valid', { count: minutes })
  const notYou = t('codeMail.notYou')
  const subject = name === undefined ? t('codeMail.subject') : t('brand.mailSubject', { name })
  return {
    subject,
    language,
    text: `${[lead, `    ${code}`, valid, notYou].join('\n\n')}\n`,
    html: render('mail/code', { language, subject, lead, code, valid, notYou }),
  }
}
