import type { Random } from './random.ts'
import type { DemoPricePackage, DemoTemplate, Market } from './types.ts'

type PackageRow = [
  name: string,
  description: string,
  market: Market,
  productType: string,
  visible: boolean,
  commission?: string | null,
]

/** Without a commission the response has no such member; null is sent as null. */
const packageRows: Record<string, PackageRow[]> = {
  '12345': [
    ['Standard', '2,99 %', 'NO', 'PAYMENT_INTEGRATION', true, '30 %'],
    ['Standard uten provisjon', '2,49 %', 'NO', 'PAYMENT_INTEGRATION', false, null],
    ['Kasse', '1,75 %', 'NO', 'CASHIER', true, '20 %'],
    ['Bidrag & gaver', '0,99 %', 'NO', 'DONATIONS', false],
    ['Standard Danmark', '1,25 %', 'DK', 'PAYMENT_INTEGRATION', true, '25 %'],
    ['Kasse København', '0,95 %', 'DK', 'CASHIER', false, null],
    ['Peruspaketti', '1,90 %', 'FI', 'PAYMENT_INTEGRATION', true, '15 %'],
    ['Kassa-hinnasto täysi', '1,10 %', 'FI', 'CHECKOUT', true],
  ],
  '23456': [
    ['POS Norge', '1,50 %', 'NO', 'CASHIER', true, '10 %'],
    ['POS Norge stor', '1,20 %', 'NO', 'CASHIER', false, '5 %'],
    ['POS Danmark', '0,90 %', 'DK', 'CASHIER', true, '10 %'],
    ['POS Danmark sæson', '1,40 %', 'DK', 'CASHIER', false, null],
    ['POS Suomi', '1,15 %', 'FI', 'CASHIER', true, '10 %'],
    ['POS Suomi pieni', '1,60 %', 'FI', 'CASHIER', true],
  ],
}

/** The price packages of both partners: eight for 12345, six for 23456. */
export function pricePackages(random: Random): DemoPricePackage[] {
  return Object.entries(packageRows).flatMap(([partnerId, rows]) =>
    rows.map(([name, description, market, productType, visibleInSignupForm, commission]) => ({
      partnerId,
      body: {
        pricePackageId: random.uuid(),
        name,
        description,
        visibleInSignupForm,
        productType,
        market,
        ...(commission === undefined ? {} : { commission }),
      },
    })),
  )
}

type TemplateRow = [
  name: string,
  productType: string,
  packageName: string | null,
  lockedFields: string[],
  createdAt: string,
]

const templateRows: TemplateRow[] = [
  ['Nettbutikk', 'PAYMENT_INTEGRATION', 'Standard', ['pricePackage', 'productType'], '2025-02-11T10:00:00Z'],
  ['Kasse i butikk', 'CASHIER', 'Kasse', ['pricePackage', 'productType', 'website'], '2025-06-03T12:30:00Z'],
  ['Fitness Danmark', 'PAYMENT_INTEGRATION', 'Standard Danmark', ['pricePackage'], '2026-01-19T08:15:00Z'],
  ['Verkkokauppa Suomi', 'CHECKOUT', 'Kassa-hinnasto täysi', ['pricePackage'], '2026-04-27T07:45:00Z'],
  ['Innlogging & medlemskap', 'LOGIN', null, [], '2026-09-02T13:20:00Z'],
]

/** The product order templates of partner 12345, four with one of its price packages and one without. */
export function templates(packages: readonly DemoPricePackage[], random: Random): DemoTemplate[] {
  return templateRows.map(([name, productType, packageName, lockedFields, createdAt]) => {
    const templateId = random.uuid()
    const pricePackage = packages.find(({ partnerId, body }) => partnerId === '12345' && body.name === packageName)
    return {
      partnerId: '12345',
      body: {
        templateId,
        name,
        url: `https://orders.example.com/template/${templateId}?partner=12345&source=template`,
        productType,
        pricePackageId: pricePackage?.body.pricePackageId ?? null,
        lockedFields: [...lockedFields],
        createdAt,
      },
    }
  })
}
