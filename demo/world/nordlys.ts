import { configuration, schemes } from './markets.ts'
import type { DemoAddress, DemoMerchant, DemoSalesUnit, Market } from './types.ts'

type Unit = {
  msn: string
  name: string
  changes?: Record<string, boolean | string>
  /** Replaces the whole configuration: real responses leave members out. */
  only?: Record<string, boolean | string>
  /** null: not connected to a partner. */
  partnerId?: null
  inactive?: true
}

type Row = {
  market: Market
  id: string
  name: string
  since: string
  changed: string
  address?: DemoAddress | null
  postAddress?: DemoAddress | null
  deactivated?: true
  units: Unit[]
}

/** Handwritten, because they are on the demo's first pages and in tests; includes awkward names. */
const rows: Row[] = [
  {
    market: 'NO',
    id: '311900456',
    name: 'ACME Fantastic Fitness AS',
    since: '2021-03-02',
    changed: '2026-08-19',
    address: address('Storgata 12', '0184', 'Oslo', 'NO'),
    postAddress: { lines: ['Postboks 77 Sentrum'], postCode: '0101', city: 'Oslo', countryCode: 'NO' },
    units: [
      { msn: '123456', name: 'ACME Fantastic Fitness', changes: { recurringAllowed: true } },
      {
        msn: '123789',
        name: 'Bergen Fitness Sentrum',
        changes: { recurringAllowed: true, longLivingPaymentAllowed: true },
      },
      { msn: '124680', name: 'Tromsø Fitness Nordlys', changes: { captureType: 'DirectCapture' } },
      { msn: '124999', name: 'ACME Fitness nettbutikk', partnerId: null },
      { msn: '125000', name: 'ACME Fitness Gamlebyen', inactive: true },
    ],
  },
  {
    market: 'DK',
    id: '91234567',
    name: 'Københavns Fitnesscentre ApS',
    since: '2022-11-15',
    changed: '2026-06-30',
    address: address('Østerbrogade 104, 2. tv.', '2100', 'København Ø', 'DK'),
    postAddress: null,
    units: [
      { msn: '230001', name: 'København Fitness Ø', changes: { lateCaptureAllowed: true } },
      { msn: '230002', name: 'København Fitness Nørrebro', changes: { skipLandingPageAllowed: true } },
    ],
  },
  {
    market: 'FI',
    id: '9123456-7',
    name: 'Fitness Tampere Oy',
    since: '2024-01-08',
    changed: '2026-09-28',
    address: address('Hämeenkatu 19 B', '33200', 'Tampere', 'FI'),
    units: [
      { msn: '28123', name: 'Fitness Tampere Oy' },
      { msn: '28124', name: 'Kuntosali Hämeenlinna', changes: { partialCaptureAllowed: false } },
    ],
  },
  {
    market: 'NO',
    id: '313402778',
    name: 'Café "Ørsta" AS',
    since: '2023-05-17',
    changed: '2026-02-01',
    address: null,
    units: [
      {
        msn: '140512',
        name: 'Café "Ørsta"',
        only: { paymentAllowed: true, captureType: 'ReserveCapture', skipLandingPageAllowed: false },
      },
    ],
  },
  {
    market: 'NO',
    id: '314550091',
    name: 'Fjord Fitness & Spa AS',
    since: '2020-09-01',
    changed: '2025-12-12',
    address: { lines: ['Sjøgata 3', 'Inngang fra kaia'], postCode: '6002', city: 'Ålesund' },
    units: [
      { msn: '20481234', name: 'Fjord Fitness & Spa' },
      {
        msn: '20481235',
        name: 'Fjord Fitness & Spa innlogging',
        only: { paymentAllowed: false, captureType: 'NotApplicable' },
      },
    ],
  },
  {
    market: 'NO',
    id: '315660232',
    name: 'Kiosken på hjørnet AS',
    since: '2026-01-20',
    changed: '2026-09-30',
    units: [{ msn: '150666', name: '<script>alert("hei")</script> Kiosk' }],
  },
  {
    market: 'DK',
    id: '92345678',
    name: "Ole's Gym ApS",
    since: '2025-04-22',
    changed: '2026-09-14',
    address: address('Søndergade 8', '8000', 'Aarhus C', 'DK'),
    units: [{ msn: '231777', name: "Ole's Gym", changes: { captureType: 'InstantCapture', tippingAllowed: true } }],
  },
  {
    market: 'NO',
    id: '316770373',
    name: 'Nedlagt Treningssenter AS',
    since: '2018-02-14',
    changed: '2026-05-05',
    deactivated: true,
    units: [{ msn: '160404', name: 'Nedlagt Treningssenter' }],
  },
  {
    market: 'FI',
    id: '9234567-8',
    name: 'Saimaan Sauna Oy',
    since: '2023-06-21',
    changed: '2026-07-07',
    address: address('Rantatie 1', '53100', 'Lappeenranta', 'FI'),
    units: [
      { msn: '290001', name: 'Saimaan Sauna Lappeenranta', partnerId: null },
      { msn: '290002', name: 'Savusauna Imatra', partnerId: null, changes: { captureType: 'DirectCapture' } },
    ],
  },
]

/**
 * The merchants and sales units of the small partner 12345 (12 visible ones), and others that it must not see: a
 * deactivated sales unit and merchant, and sales units without a partner.
 */
export function nordlys(): { merchants: DemoMerchant[]; salesUnits: DemoSalesUnit[] } {
  return {
    merchants: rows.map(toMerchant),
    salesUnits: rows.flatMap((row) => row.units.map((unit) => toSalesUnit(row, unit))),
  }
}

function toMerchant(row: Row): DemoMerchant {
  return {
    body: {
      businessIdentifier: { scheme: schemes[row.market], id: row.id },
      name: row.name,
      status: row.deactivated ? 'DEACTIVATED' : 'ACTIVE',
      createdAt: `${row.since}T09:12:41Z`,
      updatedAt: `${row.changed}T14:03:27Z`,
      countryCode: row.market,
      ...(row.address === undefined ? {} : { businessAddress: structuredClone(row.address) }),
      ...(row.postAddress === undefined ? {} : { businessPostAddress: structuredClone(row.postAddress) }),
    },
  }
}

function toSalesUnit(row: Row, unit: Unit): DemoSalesUnit {
  return {
    partnerId: unit.partnerId === null ? null : '12345',
    active: !unit.inactive,
    body: {
      msn: unit.msn,
      name: unit.name,
      businessIdentifier: { scheme: schemes[row.market], id: row.id },
      configuration: unit.only ? { ...unit.only } : configuration(row.market, unit.changes),
    },
  }
}

function address(line: string, postCode: string, city: string, countryCode: Market): DemoAddress {
  return {
    lines: [line],
    postCode,
    city,
    countryCode,
  }
}
