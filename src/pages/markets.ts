/** The countries where Vipps MobilePay has merchants (ISO 3166), the largest first. */
export const markets = ['NO', 'DK', 'FI', 'SE'] as const
