import { z } from 'zod'
import type { Organisation } from '../../domain/organisation.ts'
import { readStored } from '../../management-api/lenient.ts'
import { type Webhook, webhook } from '../../management-api/webhooks.ts'
import {
  allWebhooks,
  eventsNearLimit,
  findWebhooks,
  type StoredWebhook,
  type WebhookColumn,
  type WebhookFilter,
  webhookProgress,
  webhooksGone,
  webhooksOf,
} from '../../store/webhooks.ts'
import type { WebhookFacets } from '../../store/summaries.ts'
import type { Language, Translate } from '../../presentation/language.ts'
import { linkedField, merchantField } from '../lists/filter-fields.ts'
import type { ListDefinition } from '../lists/list.ts'
import type { Field } from '../lists/list-view.ts'
import { choice, recordKey, searchText } from '../lists/query.ts'
import { inBatches } from '../lists/sheet.ts'

/** The most sales units that are counted; beyond that the page says "more than 1,000". */
const mostCounted = 1000

/** The list of webhook registrations: the organisation's own, and those of its sales units. */
export const webhookList: ListDefinition<ListedWebhook, WebhookRow, WebhookFilter, WebhookColumn> = {
  noun: 'webhooks',
  resource: 'webhooks',
  filters: z.object({
    q: searchText,
    event: searchText,
    owner: choice(['own', 'units']),
    msn: recordKey,
    merchant: recordKey,
  }),
  sorts: ['problem', 'owner', 'url'],
  columns: [
    { label: 'webhooks.url', sort: 'url' },
    { label: 'webhooks.events', width: 'w-events' },
    { label: 'webhooks.owner', sort: 'owner', width: 'w-unit' },
  ],
  rowView: 'webhooks/row',
  fields: async ({ db, organisation, language, lists, filter }) => {
    const facets = { ...noFacets, ...(lists.get('webhooks')?.facets as WebhookFacets | null | undefined) }
    return [
      ...fieldsOf(facets, filter, organisation, language),
      ...linkedField('msn', filter.msn ?? '', language.t('productOrders.salesUnit')),
      ...(await merchantField(db, organisation, language, filter.merchant ?? '')),
    ]
  },
  load: async ({ db, organisation, language, lists, filter, asked }) => {
    const { t, format } = language
    const page = await findWebhooks(db, organisation, filter, asked)
    const { unasked } = await webhookProgress(db, organisation)
    const gone = await webhooksGone(db, organisation)
    const rows = page.rows.map(listedWebhook(language))
    const owners = [...new Set(['', ...rows.map(({ salesUnit }) => salesUnit?.msn ?? '')])]
    const full = await eventsNearLimit(db, organisation, owners)
    const { onlyMsn } = organisation.kind === 'merchant' ? organisation : {}
    const warnings = [
      ...(onlyMsn === undefined ? [] : [t('webhooks.onlyUnit', { msn: onlyMsn })]),
      ...full.map(({ msn, event, count }) =>
        t('webhooks.limit', { owner: ownerOf(msn, organisation, t), event, count }),
      ),
      ...(gone.length === 0 ? [] : [goneText(gone, language)]),
    ]
    const many = t('common.moreThan', { count: format.number(mostCounted) })
    const notice = t('webhooks.partial', {
      unasked: unasked > mostCounted ? many : format.number(unasked),
      total: format.number(lists.get('salesUnits')?.total ?? 0),
    })
    return { page: { ...page, rows }, total: null, warnings, ...(unasked > 0 ? { notice } : {}) }
  },
  exported: [
    { label: 'webhooks.id', cell: ({ id }) => id },
    { label: 'webhooks.url', cell: ({ url }) => url },
    { label: 'webhooks.events', cell: ({ events }) => events.join(' ') },
    { label: 'salesUnits.msn', cell: ({ salesUnit }) => salesUnit?.msn },
    { label: 'productOrders.salesUnit', cell: ({ salesUnit }) => salesUnit?.name },
  ],
  exportRows: async ({ db, organisation, filter, asked }) => {
    const keys = await allWebhooks(db, organisation, filter, asked.sort)
    return inBatches(keys, async (some) => (await webhooksOf(db, organisation, some)).map(rowOf))
  },
}

const noFacets: WebhookFacets = { events: [], own: 0, units: 0 }

/** The filters by event and by owner, without what nobody has. */
function fieldsOf(
  { events, own, units }: WebhookFacets,
  { event: chosen = '' }: WebhookFilter,
  organisation: Organisation,
  language: Language,
): Field[] {
  const { t } = language
  const nameOf = eventLabelOf(language)
  const owners = [
    { value: 'own', label: ownerOf('', organisation, t), count: own },
    { value: 'units', label: t('webhooks.units'), count: units },
  ]
  const known =
    events.some(({ event }) => event === chosen) || chosen === '' ? events : [...events, { event: chosen, count: 0 }]
  return [
    {
      kind: 'one',
      name: 'event',
      label: t('webhooks.oneEvent'),
      options: known.map(({ event, count }) => ({
        value: event,
        label: [nameOf(event), event].filter(Boolean).join(' – '),
        count,
      })),
    },
    { kind: 'one', name: 'owner', label: t('webhooks.owner'), options: owners.filter(({ count }) => count > 0) },
  ]
}

/** The most URLs that the notice of webhooks that have gone names. */
const mostNamed = 3

/** The name of an event in words, '' for an unknown one; events are renamed, and spelt unevenly. */
export function eventLabelOf({ label }: Language): (event: string) => string {
  return (event) => label(`webhooks.event.${usualSpelling(event)}`, '')
}

function usualSpelling(event: string): string {
  return event
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/\.v\d+$/, '')
    .replace('canceled', 'cancelled')
    .replace('authorised', 'authorized')
    .replace(/^epayment\./, 'epayments.')
    .replace(/checkedin$/, 'checked-in')
}

function ownerOf(msn: string, { kind }: Organisation, t: Translate): string {
  return msn === '' ? t(kind === 'partner' ? 'webhooks.partner' : 'webhooks.merchant') : `${t('salesUnits.msn')} ${msn}`
}

function goneText(gone: Awaited<ReturnType<typeof webhooksGone>>, { t, format }: Language): string {
  const named = gone.slice(0, mostNamed)
  const urls = named.map(({ url, removedAt }) => t('webhooks.goneOn', { url, date: format.longDay(removedAt) }))
  return t('webhooks.gone', {
    count: gone.length,
    urls: [...urls, ...(gone.length > mostNamed ? ['…'] : [])].join(', '),
  })
}

/**
 * A row of the page: `eventLabels` are its events in words, in their order; `problem` is why it cannot work, as the list
 * sorts by it, or ''.
 */
type ListedWebhook = WebhookRow & { readonly eventLabels: readonly string[]; readonly problem: string }

type WebhookRow = Webhook & { readonly salesUnit: { readonly msn: string; readonly name: string | null } | undefined }

/** A row of the page in the user's language. */
export function listedWebhook(language: Language): (stored: StoredWebhook) => ListedWebhook {
  return (stored) => {
    const row = rowOf(stored)
    return { ...row, eventLabels: row.events.map(eventLabelOf(language)), problem: problemOf(row, language) }
  }
}

function problemOf({ url, events }: WebhookRow, { t }: Language): string {
  if (url === undefined) return t('webhooks.noUrl')
  if (!/^https:\/\//i.test(url)) return t('webhooks.notHttps')
  return events.length === 0 ? t('webhooks.noEvents') : ''
}

function rowOf({ listed, msn, salesUnitName }: StoredWebhook): WebhookRow {
  return { ...readStored(webhook, listed), salesUnit: msn === '' ? undefined : { msn, name: salesUnitName } }
}
