import { describe, expect, it } from 'vitest'
import { readLeniently, readStored } from '../../src/management-api/lenient.ts'
import { merchant } from '../../src/management-api/merchants.ts'
import { pricePackage } from '../../src/management-api/price-packages.ts'
import { productOrderTemplate } from '../../src/management-api/product-order-templates.ts'
import { productOrder } from '../../src/management-api/product-orders.ts'
import { salesUnit, salesUnitListItem } from '../../src/management-api/sales-units.ts'
import { webhook } from '../../src/management-api/webhooks.ts'
import { asStored } from '../../src/sync/list-diff.ts'
import { differences } from '../../src/sync/reconcile.ts'
import { oddRecords } from '../support/odd-values.ts'

const businessIdentifier = { scheme: 'business:NO:ORG', id: '987654321' }

/** Every schema with the key of its records; `oddRecords` replaces each other member. */
const schemas = [
  { name: 'sales unit in the list', schema: salesUnitListItem, key: { msn: '123456' } },
  { name: 'sales unit', schema: salesUnit, key: { msn: '123456' } },
  { name: 'merchant', schema: merchant, key: { businessIdentifier } },
  { name: 'product order', schema: productOrder.shape, key: { productOrderId: 'a-1' } },
  { name: 'price package', schema: pricePackage, key: { pricePackageId: 'a-1' } },
  { name: 'template', schema: productOrderTemplate, key: { templateId: 'a-1' } },
  { name: 'webhook', schema: webhook, key: { id: 'a-1' } },
].map(({ name, schema, key }) => ({
  name,
  key,
  schema: 'shape' in schema ? schema : productOrder,
  members: Object.keys('shape' in schema ? schema.shape : schema).filter((member) => !(member in key)),
}))

describe.each(schemas)('a $name', ({ schema, key, members }) => {
  it.each(oddRecords(key, members))('is read with $what as its $member', ({ json }) => {
    const { record, issues } = readLeniently(schema, JSON.parse(json)) as { record?: object; issues?: unknown }
    expect(issues).toBeUndefined()
    const stored = asStored(record as Readonly<Record<string, unknown>>)
    // What is stored reads as itself, also after a change of the schema: nothing flaps in the history.
    expect(differences(stored, asStored(readStored(schema, stored)))).toEqual({})
  })
})
