import type { Response } from 'express'
import { covers } from '../domain/role.ts'
import { type Change, changesOf } from '../store/changes.ts'
import { forViewers } from '../sync/viewer-members.ts'
import { type ChangedField, fieldsInWords } from './change-words.ts'
import type { PageDeps } from './deps.ts'
import { actingAs } from './request-state.ts'

/** A change of the history in the user's words. */
export type HistoryEntry = Pick<Change, 'at' | 'kind'> & { readonly fields: readonly ChangedField[] }

/** The history of one record, newest first: everything for developers, and known members only for viewers. */
export async function historyOf(
  { database }: Pick<PageDeps, 'database'>,
  res: Response,
  resource: string,
  key: string,
): Promise<HistoryEntry[]> {
  const changes = await changesOf(database.pages, actingAs(res), resource, key)
  const seen = seesDevelopers(res) ? changes : changes.flatMap((change) => forViewers(change) ?? [])
  return seen.map((change) => ({ ...change, fields: fieldsInWords(change, res.locals.language) }))
}

/** Whether the user sees everything of the organisation, webhooks and members that the portal does not know included. */
export function seesDevelopers({ locals: { role } }: Response): boolean {
  return role !== undefined && covers(role, 'developer')
}
