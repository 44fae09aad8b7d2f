/** The countries that Vipps MobilePay has merchants in, as ISO 3166 writes them, the largest first. */
export const markets = ['NO', 'DK', 'FI', 'SE'] as const
