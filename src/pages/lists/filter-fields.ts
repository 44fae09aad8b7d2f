import { identifierText, markets, merchantIdentifier } from '../../domain/business-identifier.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Language } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import { merchantsOf } from '../../store/merchants.ts'
import type { Field } from './list-view.ts'

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
    options: [...new Set(values)].map((value) => ({
      value,
      label: language.labelOfCode(`productType.${value}`, value),
    })),
  }
}

/** The choices of a filter by the last so many days. */
const dayChoices = ['1', '7', '14', '30', '90']

/** A filter by the last so many days, such as `changed` or `new`; its label is `lists.<name>`. */
export function daysField({ t }: Language, name: string, value: string, kind: Field['kind']): Field {
  const values = dayChoices.includes(value) || value === '' ? dayChoices : [...dayChoices, value]
  return {
    kind,
    name,
    label: t(`lists.${name}`),
    options: values.map((days) => ({ value: days, label: t('lists.lastDays', { count: Number(days) }) })),
  }
}

/** The chip of a filter by the month in which a row was first seen. */
export function monthField({ t, format }: Language, month: string): Field {
  const options = month === '' ? [] : [{ value: month, label: format.month(month) }]
  return { kind: 'chip', name: 'month', label: t('lists.firstSeen'), options }
}

/** A filter that links set, shown as a chip with this text; none without a value. */
export function linkedField(name: string, value: string, label: string, text = value): Field[] {
  return value === '' ? [] : [{ kind: 'chip', name, label, options: [{ value, label: text }] }]
}

/** The filter `?merchant=scheme/id`, which links set; its chip has the merchant's name. */
export async function merchantField(
  db: Handle,
  organisation: Organisation,
  { t }: Language,
  merchant: string,
): Promise<Field[]> {
  if (merchant === '') return []
  const [known] = await merchantsOf(db, organisation, [merchant])
  const text = known?.name ?? identifierText(merchantIdentifier(merchant))
  return linkedField('merchant', merchant, t('salesUnits.merchant'), text)
}
