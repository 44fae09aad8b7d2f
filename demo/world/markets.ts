import type { Market } from './types.ts'

/** The business identifier scheme of each market. */
export const schemes: Record<Market, string> = {
  NO: 'business:NO:ORG',
  DK: 'business:DK:CVR',
  FI: 'business:FI:Y-tunnus',
}

/**
 * A business id in the market's format, unique for every `index` below 100 000 of a series (one digit). It begins with
 * 3 (NO) or 9 (DK, FI), which real companies' ids do not.
 */
export function businessId(market: Market, series: number, index: number): string {
  const scrambled = (length: number): string => String((index * 7919 + 54321) % 10 ** length).padStart(length, '0')
  if (market === 'NO') return `3${series}${scrambled(7)}`
  if (market === 'DK') return `9${series}${scrambled(6)}`
  return `9${series}${scrambled(5)}-${(index * 3 + series) % 10}`
}

/** The default configuration of a market, overridden by `changes`. Partial and late capture exist in DK and FI only. */
export function configuration(
  market: Market,
  changes: Record<string, boolean | string> = {},
): Record<string, boolean | string> {
  return {
    paymentAllowed: true,
    captureType: 'ReserveCapture',
    skipLandingPageAllowed: false,
    recurringAllowed: false,
    ...(market === 'NO' ? {} : { partialCaptureAllowed: true, lateCaptureAllowed: false }),
    landingPagePhoneNumberLocked: false,
    longLivingPaymentAllowed: false,
    creditCardPaymentAllowed: true,
    ...changes,
  }
}
