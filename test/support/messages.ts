import english from '../../views/locales/en.json' with { type: 'json' }

/** The English messages, as the portal shows them without SERVICE_NAME. */
export const messages = JSON.parse(
  JSON.stringify(english).replaceAll('{{service}}', 'Vipps MobilePay'),
) as typeof english
