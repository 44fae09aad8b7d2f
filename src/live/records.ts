import { createMerchants, type Merchants } from './merchants.ts'
import { createPricePackages, type PricePackages } from './price-packages.ts'
import { createProductOrders, type ProductOrders } from './product-orders.ts'
import { createSalesUnits, type SalesUnits } from './sales-units.ts'
import type { Source } from './source.ts'
import { createTemplates, type Templates } from './templates.ts'
import { createWebhooks, type Webhooks } from './webhooks.ts'

/** What the pages read: `find` and `get` a resource, each for one organisation, which always comes first. */
export type Records = {
  readonly salesUnits: SalesUnits
  readonly merchants: Merchants
  readonly productOrders: ProductOrders
  readonly pricePackages: PricePackages
  readonly templates: Templates
  readonly webhooks: Webhooks
}

/** Records read live from the Management API, with a short memory in this process. */
export const createRecords = (source: Source): Records => {
  const merchants = createMerchants(source)
  const salesUnits = createSalesUnits(source, merchants)
  return {
    merchants,
    salesUnits,
    productOrders: createProductOrders(source, merchants),
    pricePackages: createPricePackages(source),
    templates: createTemplates(source),
    webhooks: createWebhooks(source, salesUnits),
  }
}
