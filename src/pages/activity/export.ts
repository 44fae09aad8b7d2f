import type { Response } from 'express'
import { portalMinute } from '../../domain/time-zone.ts'
import {
  type ChangeSearch,
  countChanges,
  findChanges,
  type Position,
  searchChanges,
  type StoredChange,
} from '../../store/activity.ts'
import type { Handle } from '../../store/database.ts'
import { namesOf } from '../../store/things.ts'
import { forViewers } from '../../sync/viewer-members.ts'
import { type ChangedField, fieldsInWords } from '../change-words.ts'
import type { PageDeps } from '../deps.ts'
import { seesDevelopers } from '../history.ts'
import { type ExportColumn, type Rows, type SheetOf, sheetOf } from '../lists/sheet.ts'
import { actingAs } from '../request-state.ts'
import { type EntryContext, nameKey, thingOf } from './entries.ts'
import { activityWords } from './fields.ts'
import { activityQuery, changeFilter } from './load.ts'

/** The most changes of a download, the newest; filters reach the others. */
const mostExported = 100_000
const batchSize = 200

/** The download of the activity: a row for each change and field, of all changes that the filter selects. */
export function activitySheet({ database }: Pick<PageDeps, 'database'>): SheetOf {
  return async (req, res) => {
    const query = activityQuery(req, res)
    const filter = changeFilter(res, query)
    const find = async (): Promise<Rows<ExportedChange>> => {
      const search = searchChanges(database.pages, actingAs(res), filter)
      const counts = [...(await countChanges(search, mostExported)).values()]
      const count = counts.reduce((sum, one) => sum + (one.more ? mostExported : one.count), 0)
      return { count: Math.min(count, mostExported), batches: batchesOf(database.pages, res, search) }
    }
    return sheetOf(res.locals.language, 'activity.title', activityWords(res, query), columns, find)
  }
}

/** A field of a change, or a change without one. */
type ExportedChange = { readonly change: StoredChange; readonly name: string; readonly field: ChangedField | undefined }

const columns: readonly ExportColumn<ExportedChange>[] = [
  { label: 'exports.time', cell: ({ change }) => portalMinute(change.moment) },
  { label: 'activity.record', cell: ({ change }, { t }) => t(`activity.resource.${change.resource}`) },
  { label: 'salesUnits.name', cell: ({ name }) => name },
  { label: 'exports.id', cell: ({ change }) => change.key.replace(/^\//, '') },
  { label: 'activity.kind', cell: ({ change }, { t }) => t(`activity.kinds.${change.kind}`) },
  { label: 'activity.field', cell: ({ field }) => field?.name },
  { label: 'activity.before', cell: ({ field }) => field?.before },
  { label: 'activity.after', cell: ({ field }) => field?.after },
]

async function* batchesOf(db: Handle, res: Response, search: ChangeSearch): AsyncGenerator<ExportedChange[]> {
  const isDeveloper = seesDevelopers(res)
  const { language } = res.locals
  let before: Position | undefined
  for (let left = mostExported; left > 0; left -= batchSize) {
    const found = await findChanges(search, { each: 'change', limit: batchSize, before })
    const changes = found.flatMap((group) => group.changes)
    const names = await namesOf(db, search.organisation, changes)
    const context: EntryContext = { language, organisation: search.organisation, names }
    yield changes
      .flatMap((change) => (isDeveloper ? change : (forViewers(change) ?? [])))
      .flatMap((change) => {
        const { text: name } = thingOf(change, context)
        const fields = fieldsInWords(change, language, names.get(nameKey(change))?.productOrderType)
        return (fields.length === 0 ? [undefined] : fields).map((field) => ({ change, name, field }))
      })
    if (found.length < batchSize) return
    before = found.at(-1)?.position
  }
}
