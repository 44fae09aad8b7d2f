import type { Response } from 'express'
import { orderStatuses } from '../../domain/product-order.ts'
import { changeKinds } from '../../store/activity.ts'
import { type Field, filterWords } from '../lists/list-view.ts'
import { actingAs } from '../request-state.ts'
import type { ActivityQuery } from './load.ts'

/** The filters beside the text and the tabs. @param visit the end of the user's last visit, if it is offered */
export function fieldsOf(res: Response, { filter }: ActivityQuery, visit?: Date): Field[] {
  const { t, format } = res.locals.language
  const organisation = actingAs(res)
  const tick = (name: string, value: string, label: string): Field[] =>
    value === '' ? [] : [{ kind: 'tick', name, label: '', options: [{ value, label }] }]
  const since = filter.since || (visit?.toISOString() ?? '')
  const isVisit = since === visit?.toISOString()
  const sinceLabel = isVisit
    ? t('activity.since')
    : since && t('activity.sinceAt', { at: format.shortMoment(new Date(since)) })
  const options = (values: readonly string[], key: (value: string) => string) =>
    values.map((value) => ({ value, label: t(key(value)) }))
  return [
    {
      kind: 'one',
      name: 'kind',
      label: t('activity.kind'),
      options: options(changeKinds, (kind) => `activity.kinds.${kind}`),
    },
    ...(organisation.kind === 'partner'
      ? [
          {
            kind: 'one',
            name: 'status',
            label: t('activity.status'),
            options: options(orderStatuses, (status) => `orderStatus.${status}.name`),
          } as const,
        ]
      : []),
    ...tick('since', since, sinceLabel),
    ...tick('from', filter.from, `${t('activity.from')}: ${format.date(filter.from)}`),
    ...tick('until', filter.until, `${t('activity.until')}: ${format.date(filter.until)}`),
    ...tick(
      'group',
      filter.group,
      t('activity.groupOf', { at: format.shortMoment(new Date(Number(filter.group.split('_')[0]))) }),
    ),
  ]
}

/** The filter in words, for the name of a file. */
export function activityWords(res: Response, query: ActivityQuery): string {
  const { filter } = query
  const resource = filter.resource === '' ? [] : [res.locals.language.t(pluralOf(filter.resource))]
  return [...resource, filterWords(filter, fieldsOf(res, query))].filter((words) => words !== '').join(', ')
}

/** The message that names several records of a resource. */
export function pluralOf(resource: string): string {
  return `search.groups.${resource === 'pricePackage' ? 'pricePackages' : `${resource}s`}`
}
