import type { OrganisationReference } from './organisation.ts'
import { covers, type Role } from './role.ts'

/** The events of which users and channels can be told at once. */
export const noticeEvents = ['completed', 'rejected', 'expiring', 'removed', 'webhooks'] as const
/** An event: an order became completed or rejected or is about to expire, a sales unit or a webhook was removed. */
export type NoticeEvent = (typeof noticeEvents)[number]

/** What a digest tells, in its order: the events, new sales units and changed price packages. */
export const digestTopics = ['completed', 'rejected', 'expiring', 'added', 'removed', 'prices', 'webhooks'] as const
/** A topic of a digest; every event is one. */
export type DigestTopic = (typeof digestTopics)[number]

/** How often a digest comes. */
export const digestPeriods = ['daily', 'weekly'] as const
/** The period of a digest. */
export type DigestPeriod = (typeof digestPeriods)[number]

/** The kinds of channels: what they take. */
export const channelKinds = ['slack', 'teams', 'webhook'] as const
/** The kind of a channel. */
export type ChannelKind = (typeof channelKinds)[number]

/** The events that an organisation has and a role may see: merchants have no orders, and webhooks belong to Developers. */
export function noticeEventsOf(organisation: OrganisationReference, role: Role): NoticeEvent[] {
  const own = organisation.kind === 'partner' ? noticeEvents : (['removed', 'webhooks'] as const)
  return own.filter((event) => mayBeTold(role, event))
}

/** Whether a role may be told of a topic. */
export function mayBeTold(role: Role, topic: DigestTopic): boolean {
  return covers(role, topic === 'webhooks' ? 'developer' : 'viewer')
}
