import type { Organisation } from '../../src/domain/organisation.ts'

/** The API's name of a market; also the country code of its merchants. */
export type Market = 'NO' | 'DK' | 'FI'

/** A merchant's business identifier. */
export type BusinessIdentifier = { scheme: string; id: string }

/** Credentials as in the operator's organisations file. */
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

/** `body` is the API's response, member for member; the other members decide who may see it. */
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

/** A postal address. */
export type DemoAddress = {
  lines: string[]
  postCode?: string | null
  city?: string | null
  countryCode?: string | null
}

/** A sales unit. */
export type DemoSalesUnit = {
  /** The connected partner, or null. */
  partnerId: string | null
  /** False hides it from all callers. */
  active: boolean
  body: {
    msn: string
    name: string
    businessIdentifier: BusinessIdentifier
    settlementBankAccount?: { scheme: string; id: string }
    /** The API does not have it yet; some sales units do, to show what the portal makes of it. */
    pricePackageId?: string | null
    /** Open on purpose: real responses gain members and values without notice. */
    configuration: Record<string, boolean | string>
  }
}

/** A product order. */
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

/** A price package. */
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

/** A product order template. */
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

/** A webhook registration. */
export type DemoWebhook = {
  /** An organisation key such as `partner/12345`, or `msn/123456` for a single sales unit. */
  registeredFor: string
  body: { id: string; url: string; events: string[] }
}

/**
 * All data of the demo Management API. Tests may change it while the API runs: set members in place, push and splice
 * rows.
 */
export type DemoWorld = {
  organisations: DemoOrganisation[]
  merchants: DemoMerchant[]
  salesUnits: DemoSalesUnit[]
  productOrders: DemoProductOrder[]
  pricePackages: DemoPricePackage[]
  templates: DemoTemplate[]
  /** Partners with the templates endpoint; the others get 404, as from the public API. */
  partnersWithTemplates: string[]
  webhooks: DemoWebhook[]
}
