import { z } from 'zod'
import type { SalesUnitColumn } from '../../store/sales-units.ts'
import { markets } from '../markets.ts'
import { choice, choices, listQuery, searchText } from '../lists/query.ts'

/** The ways of capture that the API documents. */
export const captureTypes = ['ReserveCapture', 'DirectCapture', 'NotApplicable'] as const

/** The switches of a sales unit's configuration that the list filters by. */
export const switches = [
  'paymentAllowed',
  'recurringAllowed',
  'partialCaptureAllowed',
  'lateCaptureAllowed',
  'longLivingPaymentAllowed',
  'creditCardPaymentAllowed',
  'skipLandingPageAllowed',
  'landingPagePhoneNumberLocked',
] as const

export const salesUnitColumns = [
  'name',
  'msn',
  'merchant',
  'identifier',
  'seen',
] as const satisfies readonly SalesUnitColumn[]

/** `?q=&market=&capture=&can=&can=` of the list of sales units. */
export const salesUnitQuery = listQuery(
  z.object({
    q: searchText,
    market: choice(markets),
    capture: choice(captureTypes),
    can: choices(switches),
  }),
  salesUnitColumns,
)
