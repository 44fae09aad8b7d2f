import type { Language } from '../../presentation/language.ts'
import type { Field } from './list-view.ts'
import { markets } from '../../domain/business-identifier.ts'

/** A filter by market: the markets of Vipps MobilePay, and others that the rows have. */
export function marketField({ t, format }: Language, others: readonly string[] = []): Field {
  return {
    kind: 'one',
    name: 'market',
    label: t('lists.market'),
    options: [...new Set([...markets, ...others])].map((value) => ({ value, label: format.country(value) })),
  }
}

/** A filter by product, among these values. */
export function productField(language: Language, values: readonly string[]): Field {
  return {
    kind: 'one',
    name: 'product',
    label: language.t('lists.product'),
    options: [...new Set(values)].map((value) => ({ value, label: language.label(`productType.${value}`, value) })),
  }
}
