import { z } from 'zod'
import { segment, type CallOptions, type ListOptions, type ManagementApiClient } from './client.ts'
import { businessIdentifier, maybe, member, msn, type Rows, words } from './parse.ts'

/** A sales unit in the list; the merchant needs one more call per sales unit. */
export const salesUnitListItem = z.looseObject({ msn, name: member(words) })
/** A parsed list item. */
export type SalesUnitListItem = z.output<typeof salesUnitListItem>

/** The documented switches of a sales unit's configuration; `captureType` is no switch. */
export const configurationSwitches = [
  'paymentAllowed',
  'recurringAllowed',
  'partialCaptureAllowed',
  'lateCaptureAllowed',
  'longLivingPaymentAllowed',
  'creditCardPaymentAllowed',
  'skipLandingPageAllowed',
  'landingPagePhoneNumberLocked',
] as const

/**
 * The configuration of a sales unit: switches (`paymentAllowed`, `recurringAllowed` …) are usually true or false,
 * `captureType` is `ReserveCapture`, `DirectCapture` or `NotApplicable`. All are optional; absent and null are equal,
 * switches may be text, and newer names and values are kept unchanged.
 */
const configuration = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => {
    const settings = Object.entries(value ?? {}).filter(([, setting]) => setting !== null)
    return Object.fromEntries(settings.map(([name, setting]) => [name, asSwitch(setting)]))
  })

function asSwitch(setting: unknown): unknown {
  return setting === 'true' || setting === 'false' ? setting === 'true' : setting
}

/** The details of a sales unit, as the API sends them. */
export const salesUnit = z.looseObject({
  msn,
  name: member(words),
  businessIdentifier: member(businessIdentifier),
  /** `scheme` such as `BBAN:NO`, `id` the account number. The API has not sent it since February 2025. */
  settlementBankAccount: maybe(
    z
      .object({ scheme: maybe(words), id: maybe(words) })
      .transform(({ scheme, id }) => (id === undefined ? undefined : { scheme, id })),
  ),
  configuration,
})
/** Parsed details of a sales unit. */
export type SalesUnit = z.output<typeof salesUnit>

/**
 * Every active sales unit of the organisation, in the API's order. There is no paging, and the list can be long.
 * @throws UpstreamUnavailableError, UpstreamRefusedError, UpstreamNotFoundError
 */
export function listSalesUnits(
  client: ManagementApiClient,
  options: ListOptions = {},
): Promise<Rows<SalesUnitListItem>> {
  return client.list(
    salesUnitListItem,
    { purpose: 'salesUnits', path: '/management/v1/sales-units', idMember: 'msn' },
    options,
  )
}

/**
 * One sales unit.
 * @throws UpstreamNotFoundError when it, or its merchant, is not active or not shared with the organisation
 * @throws UpstreamUnavailableError, UpstreamRefusedError; NotFoundError for an impossible MSN
 */
export async function getSalesUnit(
  client: ManagementApiClient,
  serialNumber: string,
  options: CallOptions = {},
): Promise<SalesUnit> {
  const path = `/management/v1/sales-units/${segment(serialNumber)}`
  return client.one(salesUnit, { purpose: 'salesUnit', path, idMember: 'msn', id: serialNumber }, options)
}
