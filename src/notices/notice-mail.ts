import type { Organisation } from '../domain/organisation.ts'
import type { Mail } from '../mail/mailer.ts'
import type { Language } from '../presentation/language.ts'
import type { Render } from '../presentation/view-engine.ts'
import type { Notice } from '../store/notice-queue.ts'
import type { NoticeSection } from './sections.ts'

/**
 * The mail of a notice, as text and as HTML without images. Its subject says what happened, and mail clients can
 * unsubscribe with one click (RFC 8058).
 * @param values.unsubscribeUrl takes a POST without a session
 * @param values.id makes the Message-ID, so that a mail server can recognise a mail that was sent twice
 */
export function noticeMail(
  { code: language, t, format }: Language,
  organisation: Organisation,
  values: {
    readonly kind: Notice['kind']
    readonly sections: readonly NoticeSection[]
    readonly portalUrl: string
    readonly portalPath: string
    readonly unsubscribeUrl: string
    readonly messageId: string
  },
  render: Render,
): Mail {
  const { kind, sections, portalUrl, portalPath, unsubscribeUrl, messageId } = values
  const { name } = organisation
  const subject = t('noticeMail.subject', { name, what: format.list(sections.map(({ title }) => title)) })
  const lead = t(`noticeMail.${kind}`, { name })
  const open = { text: t('noticeMail.open', { name }), href: portalUrl + portalPath }
  const why = t('noticeMail.why', { host: new URL(portalUrl).host })
  const links = [
    { text: t('noticeMail.settings'), href: `${portalUrl}/profile#notices` },
    { text: t('noticeMail.unsubscribe'), href: unsubscribeUrl },
  ]
  const lines = sections.map(({ title, items, more, href }) =>
    [title, ...items.map((item) => `- ${item.text}\n  ${item.href}`), ...(more ? [`${more}: ${href}`] : [])].join('\n'),
  )
  const footer = [why, ...links.map(({ text, href }) => `${text}: ${href}`)].join('\n')
  return {
    subject,
    language,
    messageId,
    headers: {
      'List-Unsubscribe': `<${unsubscribeUrl}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
    text: `${[lead, ...lines, `${open.text}: ${open.href}`, `-- \n${footer}`].join('\n\n')}\n`,
    html: render('mail/notice', { language, subject, lead, sections, open, why, links }),
  }
}
