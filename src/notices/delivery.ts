import { type DigestTopic, digestTopics, mayBeTold } from '../domain/notices.ts'
import { type Organisation, organisationPath } from '../domain/organisation.ts'
import { DatabaseUnavailableError, MailUnavailableError } from '../errors.ts'
import type { Language } from '../presentation/language.ts'
import type { Render } from '../presentation/view-engine.ts'
import { findNoticeChannel } from '../store/notice-channels.ts'
import { noticeTopics, type NoticeTopic } from '../store/notice-content.ts'
import { expiryDays, type Notice, type NoticeOutcome } from '../store/notice-queue.ts'
import { findNoticeRecipient } from '../store/notice-settings.ts'
import { channelBodies } from './channel-messages.ts'
import { noticeMail } from './notice-mail.ts'
import type { InTurn, NoticesContext } from './notices.ts'
import { postJson } from './post.ts'
import { type NoticeSection, noticeSections } from './sections.ts'
import { createUnsubscribeTokens } from './unsubscribe-token.ts'

/** Sends one notice, and says what became of it. */
export type Delivery = (notice: Notice) => Promise<NoticeOutcome>

/** Over four hours; then a notice is given up. */
const mostTries = 10

/** Creates the delivery of notices by mail and to channels. What a notice tells is read right before it is sent. */
export function createDelivery(
  context: Omit<NoticesContext, 'db'> & {
    readonly db: InTurn
    readonly languages: ReadonlyMap<string, Language>
    readonly render: Render
  },
): Delivery {
  const { db, organisations, mailer, logger, settings, languages, render } = context
  const { portalUrl, mailDomain, allowPrivate } = settings
  const tokens = createUnsubscribeTokens(settings.sessionSecrets)
  const known = new Map<string, Promise<NoticeTopic[]>>()

  return async (notice) => {
    const organisation = organisations.current().get(notice.organisation)
    if (!organisation) return 'dropped'
    try {
      if (notice.userId !== null) return await toUser(notice, notice.userId, organisation)
      return notice.channelId === null ? 'dropped' : await toChannel(notice, notice.channelId, organisation)
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) throw error
      // One notice that cannot be made must not keep the others from being sent.
      logger.error({ err: error, notice: notice.id }, 'notice failed')
      return again(notice, 'internal error', 0)
    }
  }

  async function toUser(notice: Notice, userId: string, organisation: Organisation): Promise<NoticeOutcome> {
    const { kind, id } = notice
    const topics = await topicsOf(notice, organisation)
    // Last, so that nothing is sent after an access has ended.
    const recipient = await db((handle) => findNoticeRecipient(handle, organisation, userId))
    if (!recipient || (kind !== 'events' && recipient.digest !== kind)) return 'dropped'
    const wanted: readonly DigestTopic[] = kind === 'events' ? recipient.events : digestTopics
    const sections = sectionsOf(
      topics,
      wanted.filter((topic) => mayBeTold(recipient.role, topic)),
      organisation,
      recipient.language,
    )
    if (sections.length === 0) return 'dropped'
    const token = tokens.create({ userId, organisation: notice.organisation })
    const values = {
      kind,
      sections,
      portalUrl,
      portalPath: organisationPath(organisation),
      unsubscribeUrl: `${portalUrl}/unsubscribe/${token}`,
      messageId: `<notice-${id}-${userId.slice(0, 8)}@${mailDomain}>`,
    }
    try {
      if (!mailer) throw new MailUnavailableError('not configured')
      await mailer.send(recipient.email, noticeMail(languageOf(recipient.language), organisation, values, render))
      return 'sent'
    } catch (error) {
      if (!(error instanceof MailUnavailableError)) throw error
      return again(notice, error.message, 0)
    }
  }

  /** Many people are told the same: read once, for the notices of about one pass. */
  async function topicsOf(notice: Notice, organisation: Organisation): Promise<NoticeTopic[]> {
    const { kind, afterChange, untilChange, afterAt, untilAt } = notice
    const key = JSON.stringify([notice.organisation, kind, afterChange, untilChange, afterAt, untilAt])
    const topics = known.get(key) ?? db((handle) => noticeTopics(handle, organisation, notice, expiryDays[kind]))
    if (known.size > 500) known.clear()
    known.set(key, topics)
    topics.catch(() => known.delete(key))
    return topics
  }

  function sectionsOf(
    topics: readonly NoticeTopic[],
    wanted: readonly DigestTopic[],
    organisation: Organisation,
    language: string,
  ): NoticeSection[] {
    const ordered = digestTopics.filter((topic) => wanted.includes(topic))
    const told = ordered.flatMap((topic) => topics.find((each) => each.topic === topic) ?? [])
    return noticeSections(languageOf(language), organisation, told, portalUrl)
  }

  function languageOf(code: string): Language {
    const language = languages.get(code) ?? languages.get('en')
    if (!language) throw new Error('en.json is missing in views/locales')
    return language
  }

  async function toChannel(notice: Notice, channelId: string, organisation: Organisation): Promise<NoticeOutcome> {
    const topics = await topicsOf(notice, organisation)
    const channel = await db((handle) => findNoticeChannel(handle, organisation, channelId))
    if (!channel) return 'dropped'
    const sections = sectionsOf(topics, channel.events, organisation, channel.language)
    if (sections.length === 0) return 'dropped'
    const language = languageOf(channel.language)
    const href = portalUrl + organisationPath(organisation)
    const body = channelBodies[channel.kind]({ language, organisation, href, sections, at: notice.untilAt })
    const id = `notice-${notice.id}`
    const posted = await postJson(channel.url, body, { id, secret: channel.secret, allowPrivate, at: new Date() })
    if (posted.ok) return 'sent'
    return again(notice, posted.reason, posted.retryAfterSeconds)
  }

  /** @param seconds the least time to the next try; undefined when another try cannot help */
  function again(notice: Notice, reason: string, seconds: number | undefined): NoticeOutcome {
    const { id, organisation, channelId, kind, tries } = notice
    const line = { notice: id, organisation, kind, channel: channelId ?? undefined, tries, reason }
    if (seconds === undefined || tries >= mostTries) {
      logger.error(line, 'notice given up')
      return 'failed'
    }
    logger.warn(line, 'notice not sent: next try later')
    return { retryMinutes: Math.max(Math.min(60, 2 ** (tries - 1)), Math.ceil(seconds / 60)) }
  }
}
