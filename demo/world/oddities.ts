import { schemes } from './markets.ts'
import { createRandom } from './random.ts'
import type { DemoWorld } from './types.ts'

const partnerId = '12345'
/** A merchant of the partner, which has the odd sales units and orders. */
const owner = { scheme: schemes.NO, id: '311900456' }
const huge = 'Very long name '.repeat(5000)
const deep: unknown = Array.from({ length: 40 }).reduce((inner: unknown) => [inner], null)

/** Odd members of each resource, as the API has sent or may send them; `name` says what is odd where it can. */
const odd = {
  salesUnits: [
    { name: null },
    { name: '' },
    { name: 42 },
    { name: { no: 'name' } },
    { name: huge },
    { name: 'Empty settlement account', settlementBankAccount: {} },
    {
      name: 'Settlement account, removed in February 2025',
      settlementBankAccount: { scheme: 'BBAN:NO', id: '86011117947' },
    },
    { name: 'No configuration', configuration: null },
    { name: 'Configuration as a list', configuration: [null] },
    { name: 'Switches as text', configuration: { paymentAllowed: 'true', recurringAllowed: 'false', captureType: 7 } },
    {
      name: 'New and deep settings',
      configuration: { paymentAllowed: true, brandNew: [null], deeper: { a: null, b: deep } },
    },
  ],
  merchants: [
    { name: 'Empty address line AS', businessAddress: { lines: ['Storgata 1', null], postCode: 184, city: null } },
    { name: 'Dates of no calendar AS', createdAt: '2021-31-02T09:12:41Z', updatedAt: '2021-02-30' },
    { name: null },
    { name: 'Odd types AS', status: {}, countryCode: 47, businessAddress: 'Storgata 1', businessPostAddress: [] },
  ],
  productOrders: [
    { salesUnit: {} },
    { salesUnit: { msn: null, name: null } },
    { salesUnit: { msn: '', name: '' } },
    { status: 'COMPLETED', salesUnit: { msn: '123456', name: null } },
    { status: 'COMPLETED', salesUnit: { name: 'A sales unit without an MSN' } },
    { status: null },
    { status: 'ON_ICE', productOrderType: 7, productType: ['LOGIN'] },
    { businessIdentifier: null },
    { businessIdentifier: { scheme: null, id: 311900456 } },
    { productOrderUrl: 'javascript:alert(1)' },
    { productOrderId: null },
  ],
  pricePackages: [
    { name: null },
    { name: 'No price', description: null },
    { name: 'Price as a number', description: 2.99, visibleInSignupForm: 'true', commission: {} },
  ],
  templates: [
    { name: null },
    { name: 'Link that is none', url: 'javascript:alert(1)', createdAt: '2026-31-01' },
    { name: 'Odd locked fields', lockedFields: ['name', null, 5], pricePackageId: {} },
  ],
  webhooks: [
    { url: null },
    { events: [null, 'epayments.payment.captured.v1', {}] },
    { events: ['recurring.charge-canceled.v1', 'Recurring.Charge_Cancelled.v2', 'epayment.payment.captured.v1'] },
    ...Array.from({ length: 23 }, (_, index) => ({
      url: `https://many.example/${index + 1}`,
      events: ['user.checked-in.v1'],
    })),
  ],
}

/**
 * Adds records with members of every odd kind to partner 12345. The demo's types describe what the API documents, which
 * these do not keep.
 */
export function addOddities(world: DemoWorld): void {
  const random = createRandom(20_260_206)
  const created = '2024-02-29T09:12:41Z'
  for (const [index, members] of odd.salesUnits.entries()) {
    const configuration = { paymentAllowed: true, captureType: 'ReserveCapture' }
    const body = { msn: String(190_001 + index), businessIdentifier: owner, configuration, ...members }
    world.salesUnits.push({ partnerId, active: true, body } as never)
  }
  for (const [index, members] of odd.merchants.entries()) {
    const businessIdentifier = { scheme: schemes.NO, id: String(399_000_001 + index) }
    const dates = { createdAt: created, updatedAt: created }
    const body = { businessIdentifier, status: 'ACTIVE', ...dates, countryCode: 'NO', ...members }
    world.merchants.push({ body } as never)
    const unit = {
      msn: String(195_001 + index),
      name: `Of an odd merchant ${index + 1}`,
      businessIdentifier,
      configuration: {},
    }
    world.salesUnits.push({ partnerId, active: true, body: unit })
  }
  for (const members of odd.productOrders) {
    const kind = { productOrderType: 'PREFILL', productType: 'CASHIER', status: 'RECEIVED' }
    const body = { productOrderId: random.uuid(), ...kind, businessIdentifier: owner, ...members }
    world.productOrders.push({ partnerId, body } as never)
  }
  for (const members of odd.pricePackages) {
    const body = {
      pricePackageId: random.uuid(),
      description: '1.99%',
      productType: 'CASHIER',
      market: 'NO',
      ...members,
    }
    world.pricePackages.push({ partnerId, body } as never)
  }
  for (const members of odd.templates) {
    const body = { templateId: random.uuid(), url: 'https://orders.example.com/t', createdAt: created, ...members }
    world.templates.push({ partnerId, body } as never)
  }
  for (const members of odd.webhooks) {
    const body = { id: random.uuid(), url: 'https://odd.example/in', events: ['user.checked-in.v1'], ...members }
    world.webhooks.push({ registeredFor: `partner/${partnerId}`, body } as never)
  }
}
