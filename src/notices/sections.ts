import { identifierText } from '../domain/business-identifier.ts'
import type { DigestTopic } from '../domain/notices.ts'
import { type Organisation, organisationPath } from '../domain/organisation.ts'
import type { Language } from '../presentation/language.ts'
import type { NoticeRow, NoticeTopic } from '../store/notice-content.ts'

/** One topic of a notice in words: "2 orders completed", the first records, and a link to all. */
export type NoticeSection = {
  readonly topic: DigestTopic
  readonly count: number
  readonly title: string
  readonly href: string
  readonly items: readonly { readonly id: string; readonly text: string; readonly href: string }[]
  /** "See all (12)"; undefined when the items are all. */
  readonly more: string | undefined
}

/** The pages of each topic below the organisation's: its list, and one record of it, where there is such a page. */
const pages: Readonly<Record<DigestTopic, { readonly list: string; readonly record?: string }>> = {
  completed: { list: '/product-orders?status=COMPLETED', record: '/product-orders' },
  rejected: { list: '/product-orders?status=REJECTED', record: '/product-orders' },
  expiring: { list: '/product-orders?expiring=3', record: '/product-orders' },
  added: { list: '/sales-units?sort=-seen', record: '/sales-units' },
  removed: { list: '/sales-units?removed=1', record: '/sales-units' },
  prices: { list: '/price-packages' },
  webhooks: { list: '/developers/webhooks' },
}

/** The topics in words of a language, with absolute links. */
export function noticeSections(
  { t, label, format }: Language,
  organisation: Organisation,
  topics: readonly NoticeTopic[],
  portalUrl: string,
): NoticeSection[] {
  const base = portalUrl + organisationPath(organisation)
  const textOf = (topic: DigestTopic, row: NoticeRow): string => {
    const { key, scheme, businessId, productType, expiresAt } = row
    const owner = scheme && businessId ? identifierText({ scheme, id: businessId }) : undefined
    const isOrder = pages[topic].record === '/product-orders'
    const product = productType === null ? undefined : label(`productType.${productType}`, productType)
    const expires = expiresAt ? t('noticeMail.expires', { date: format.longDay(expiresAt) }) : undefined
    const msn = pages[topic].record === '/sales-units' && row.name ? `MSN ${key}` : undefined
    return [row.name ?? (isOrder ? owner : undefined) ?? key, product, expires, msn].filter(Boolean).join(', ')
  }
  return topics.map(({ topic, count, rows }) => {
    const { list, record } = pages[topic]
    const href = base + list
    return {
      topic,
      count,
      title: t(`noticeMail.what.${topic}`, { count }),
      href,
      items: rows.map((row) => ({
        id: row.key,
        text: textOf(topic, row),
        href: record === undefined ? href : `${base}${record}/${encodeURIComponent(row.key)}`,
      })),
      more: count > rows.length ? t('noticeMail.more', { count: format.number(count) }) : undefined,
    }
  })
}
