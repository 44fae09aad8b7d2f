import type { Organisation } from '../../src/domain/organisation.ts'

/** The API's own words for a market; also the country code of its merchants. */
export type Market = 'NO' | 'DK' | 'FI'

export type BusinessIdentifier = { scheme: string; id: string }

/** Keys as the operator's organisations file holds them. */
export type DemoKeys =
  | { type: 'management'; clientId: string; clientSecret: string }
  | {
      type: 'partner'
      clientId: string
      clientSecret: string
      subscriptionKey: string
      merchantSerialNumber?: string
    }
  | {
      type: 'sales-unit'
      clientId: string
      clientSecret: string
      subscriptionKey: string
      merchantSerialNumber: string
    }

/** An organisation that can call the API. */
export type DemoOrganisation = { organisation: Organisation; keys: DemoKeys }

/** A `body` is what the API answers, member for member; what stands beside it decides who may see it. */
export type DemoMerchant = {
  body: {
    businessIdentifier: BusinessIdentifier
    name: string
    status: 'ACTIVE' | 'DEACTIVATED'
    createdAt: string
    updatedAt: string
    countryCode: Market
    businessAddress?: DemoAddress | null
    businessPostAddress?: DemoAddress | null
  }
}

export type DemoAddress = {
  lines: string[]
  postCode?: string | null
  city?: string | null
  countryCode?: string | null
}

export type DemoSalesUnit = {
  /** The partner that it is connected to, or null. */
  partnerId: string | null
  /** False hides it from everybody. */
  active: boolean
  body: {
    msn: string
    name: string
    businessIdentifier: BusinessIdentifier
    settlementBankAccount?: { scheme: string; id: string }
    /** Open on purpose: real answers gain properties and values without notice. */
    configuration: Record<string, boolean | string>
  }
}

export type DemoProductOrder = {
  partnerId: string
  body: {
    productOrderId: string
    productOrderType: string
    productType: string
    status: string
    businessIdentifier: BusinessIdentifier
    productOrderUrl?: string | null
    salesUnit?: { msn: string; name: string } | null
  }
}

export type DemoPricePackage = {
  partnerId: string
  body: {
    pricePackageId: string
    name: string
    description: string
    visibleInSignupForm?: boolean
    productType?: string
    market?: Market
    commission?: string | null
  }
}

export type DemoTemplate = {
  partnerId: string
  body: {
    templateId: string
    name: string
    url: string
    productType?: string
    pricePackageId?: string | null
    lockedFields?: string[]
    createdAt?: string
  }
}

export type DemoWebhook = {
  /** An organisation key such as `partner/12345`, or `msn/123456` for one on a single sales unit. */
  registeredFor: string
  body: { id: string; url: string; events: string[] }
}

/**
 * Everything the demo Management API knows. May be changed while the API runs, to play what happens in real
 * life: set members in place, push and splice rows.
 */
export type DemoWorld = {
  organisations: DemoOrganisation[]
  merchants: DemoMerchant[]
  salesUnits: DemoSalesUnit[]
  productOrders: DemoProductOrder[]
  pricePackages: DemoPricePackage[]
  templates: DemoTemplate[]
  /** Partners whose API has the templates endpoint; it answers everybody else 404, as the public API does. */
  partnersWithTemplates: string[]
  webhooks: DemoWebhook[]
}
