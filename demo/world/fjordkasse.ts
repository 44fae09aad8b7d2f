import { businessId, configuration, schemes } from './markets.ts'
import { nameParts } from './names.ts'
import { cyclic, type Random } from './random.ts'
import type { DemoMerchant, DemoSalesUnit, Market } from './types.ts'

type Named = { merchant: DemoMerchant; market: Market; shortName: string }

/**
 * The large partner 23456: `count` generated active sales units of about a quarter as many merchants. Every merchant
 * has at least one; a few have very many, like chains. At most 400 000: beyond that ids repeat.
 */
export function fjordkasse(count: number, random: Random): { merchants: DemoMerchant[]; salesUnits: DemoSalesUnit[] } {
  const owners = Array.from({ length: Math.ceil(count / 4) }, (_, index) => inventMerchant(index, random))
  const salesUnits = Array.from({ length: count }, (_, index) => {
    const skewed = Math.floor(owners.length * random.next() ** 2)
    return inventSalesUnit(index, cyclic(owners, index < owners.length ? index : skewed), random)
  })
  return { merchants: owners.map(({ merchant }) => merchant), salesUnits }
}

function inventMerchant(index: number, random: Random): Named {
  const market = random.pick<Market>(['NO', 'NO', 'NO', 'DK', 'FI'])
  const parts = nameParts[market]
  const shortName = `${random.pick(parts.owners)} ${random.pick(parts.trades)}`
  const [city, postCode] = random.pick(parts.places)
  const age = 30 + random.below(2500)
  const street = `${random.pick(parts.streets)} ${1 + random.below(120)}`
  return {
    market,
    shortName,
    merchant: {
      body: {
        businessIdentifier: { scheme: schemes[market], id: businessId(market, 2, index) },
        name: `${shortName} ${random.pick(parts.legalForms)}`,
        status: 'ACTIVE',
        createdAt: isoDate(age),
        updatedAt: isoDate(random.below(age)),
        countryCode: market,
        ...(random.chance(0.9) ? { businessAddress: { lines: [street], postCode, city, countryCode: market } } : {}),
        ...(random.chance(0.5) ? { businessPostAddress: null } : {}),
      },
    },
  }
}

function inventSalesUnit(index: number, owner: Named, random: Random): DemoSalesUnit {
  const { market, shortName, merchant } = owner
  const [city] = random.pick(nameParts[market].places)
  const till = random.chance(0.3) ? ` ${2 + random.below(8)}` : ''
  return {
    partnerId: '23456',
    active: true,
    body: {
      msn: String(400_000 + index * 3 + random.below(3)),
      name: `${shortName} ${city}${till}`,
      businessIdentifier: { ...merchant.body.businessIdentifier },
      configuration: inventConfiguration(market, random),
    },
  }
}

function isoDate(daysBefore: number): string {
  return new Date(Date.UTC(2026, 9, 1, 8, 30) - daysBefore * 86_400_000).toISOString()
}

function inventConfiguration(market: Market, random: Random): Record<string, boolean | string> {
  return random.chance(0.05)
    ? { paymentAllowed: false, captureType: 'NotApplicable' }
    : configuration(market, {
        captureType: random.chance(0.3) ? 'DirectCapture' : 'ReserveCapture',
        skipLandingPageAllowed: random.chance(0.1),
        recurringAllowed: random.chance(0.2),
        longLivingPaymentAllowed: random.chance(0.1),
        creditCardPaymentAllowed: random.chance(0.8),
      })
}
