import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { ChannelKind } from '../domain/notices.ts'
import type { Language } from '../presentation/language.ts'
import type { NoticeSection } from './sections.ts'

/** What a channel is told: the organisation, its page in the portal, and the topics. */
type Message = {
  readonly language: Language
  readonly organisation: Organisation
  readonly href: string
  readonly sections: readonly NoticeSection[]
  readonly at: Date
}

/** The JSON that a kind of channel takes. */
export const channelBodies: Readonly<Record<ChannelKind, (message: Message) => object>> = {
  slack,
  teams,
  webhook,
}

/** Slack, incoming webhooks: blocks, and a text for notifications. */
function slack(message: Message): object {
  const { href, sections } = message
  const link = (text: string, to: string) => `<${to}|${slackText(text)}>`
  return {
    text: slackText(subjectOf(message)),
    blocks: [
      mrkdwn(`*${link(message.organisation.name, href)}*`),
      ...sections.map(({ title, items, more, href: all }) =>
        mrkdwn(
          [
            `*${slackText(title)}*`,
            ...items.map((item) => `• ${link(item.text, item.href)}`),
            ...(more ? [link(more, all)] : []),
          ].join('\n'),
        ),
      ),
    ],
  }
}

function subjectOf({ language, organisation, sections }: Message): string {
  const what = language.format.list(sections.map(({ title }) => title))
  return language.t('noticeMail.subject', { name: organisation.name, what })
}

/** The characters that begin links, mentions and entities; a bar would end the text of a link. */
function slackText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('|', '¦')
    .replaceAll(/\s+/g, ' ')
}

/** Slack refuses more than 3000 characters in a section. */
function mrkdwn(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', text: text.slice(0, 3000).toWellFormed() } }
}

/** Teams, the workflow "Post to a channel when a webhook request is received": an adaptive card. */
function teams(message: Message): object {
  const { language, organisation, href, sections } = message
  const link = (text: string, to: string) => `[${teamsText(text)}](${to.replaceAll(')', '%29')})`
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    fallbackText: subjectOf(message),
    msteams: { width: 'Full' },
    body: [
      { type: 'TextBlock', text: teamsText(organisation.name), size: 'medium', weight: 'bolder', wrap: true },
      ...sections.flatMap(({ title, items, more, href: all }) => [
        { type: 'TextBlock', text: teamsText(title), weight: 'bolder', wrap: true },
        ...[...items, ...(more ? [{ text: more, href: all }] : [])].map((item) => ({
          type: 'TextBlock',
          text: link(item.text, item.href),
          spacing: 'small',
          wrap: true,
        })),
      ]),
    ],
    actions: [{ type: 'Action.OpenUrl', title: language.t('noticeMail.open', { name: organisation.name }), url: href }],
  }
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }
  return { type: 'message', attachments: [attachment] }
}

/** Adaptive cards read Markdown in text. */
function teamsText(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]()<>#~|{}]/g, String.raw`\$&`)
}

/** The payload of Standard Webhooks: a type, a time and data. */
function webhook({ organisation, href, sections, at }: Message): object {
  return {
    type: 'partner-portal.notice',
    timestamp: at.toISOString(),
    data: {
      organisation: organisationKey(organisation),
      name: organisation.name,
      url: href,
      events: sections.map(({ topic, count, title, href: url, items }) => ({
        event: topic,
        count,
        text: title,
        url,
        items: items.map(({ id, text, href: itemUrl }) => ({ id, text, url: itemUrl })),
      })),
    },
  }
}
