import { type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { ChannelKind, NoticeEvent } from '../domain/notices.ts'
import type { Handle } from './database.ts'

/** A channel of a team. The URL is a secret, as is the key that signs what is posted to a `webhook`. */
export type NoticeChannel = {
  readonly id: string
  /** By organisationKey(). */
  readonly organisation: string
  readonly kind: ChannelKind
  readonly url: string
  readonly secret: string | null
  readonly language: string
  readonly events: readonly NoticeEvent[]
  readonly addedBy: string
}

/** The channels of one organisation, or of all. */
export async function noticeChannels(db: Handle, organisation?: OrganisationReference): Promise<NoticeChannel[]> {
  const all = columns(db).orderBy('organisation').orderBy('added_at')
  return (organisation ? all.where('organisation', '=', organisationKey(organisation)) : all).execute()
}

function columns(db: Handle) {
  return db
    .selectFrom('notice_channels')
    .select(['id', 'organisation', 'kind', 'url', 'secret', 'language', 'events', 'added_by as addedBy'])
}

/** A channel of the organisation by id. */
export async function findNoticeChannel(
  db: Handle,
  organisation: OrganisationReference,
  id: string,
): Promise<NoticeChannel | undefined> {
  return columns(db).where('id', '=', id).where('organisation', '=', organisationKey(organisation)).executeTakeFirst()
}

/** Adds a channel, or replaces the one with the same URL. @returns its id */
export async function addNoticeChannel(
  db: Handle,
  organisation: OrganisationReference,
  { addedBy, events, ...channel }: Omit<NoticeChannel, 'id' | 'organisation'>,
): Promise<string> {
  const row = { ...channel, events: [...events], added_by: addedBy }
  const { id } = await db
    .insertInto('notice_channels')
    .values({ ...row, organisation: organisationKey(organisation) })
    .onConflict((conflict) => conflict.columns(['organisation', 'url']).doUpdateSet(row))
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** Removes a channel and what waits for it. @returns whether it existed */
export async function removeNoticeChannel(
  db: Handle,
  organisation: OrganisationReference,
  id: string,
): Promise<boolean> {
  const remove = db.deleteFrom('notice_channels').where('id', '=', id)
  const removed = await remove.where('organisation', '=', organisationKey(organisation)).executeTakeFirst()
  return removed.numDeletedRows === 1n
}
