const site = 'https://developer.vippsmobilepay.com/docs'
const payments = `${site}/knowledge-base/payments/`
const capture = `${site}/knowledge-base/reserve-and-capture/`
const landingPage = `${site}/knowledge-base/landing-page/`

/** Vipps MobilePay's documentation of each setting of a sales unit. */
export const settingDocumentation: Readonly<Record<string, string>> = {
  paymentAllowed: payments,
  captureType: capture,
  skipLandingPageAllowed: landingPage,
  recurringAllowed: `${site}/APIs/recurring-api/`,
  partialCaptureAllowed: capture,
  lateCaptureAllowed: capture,
  landingPagePhoneNumberLocked: landingPage,
  longLivingPaymentAllowed: `${site}/recommended-flows/long-living-payments/`,
  creditCardPaymentAllowed: payments,
}

/** Vipps MobilePay's documentation of product orders. */
export const productOrderDocumentation = `${site}/APIs/management-api/`
