import { z } from 'zod'
import type { ListOptions, ManagementApiClient } from './client.ts'
import { code, date, id, link, maybe, member, type Rows, text, words } from './parse.ts'

/** A link that a partner gives to its merchants, with some fields of the order form preset or locked. */
export const productOrderTemplate = z.looseObject({
  templateId: id,
  name: member(words),
  /** http(s) only: anything else must not be passed on. */
  url: link,
  productType: maybe(code),
  pricePackageId: maybe(id),
  /** The names of the fields that the merchant cannot change; empty when absent. */
  lockedFields: maybe(z.array(text)).transform((fields) => fields ?? []),
  /** RFC 3339 date-time, unchanged. */
  createdAt: maybe(date),
})
/** A parsed template. */
export type ProductOrderTemplate = z.output<typeof productOrderTemplate>

/**
 * Every product order template of the partner.
 * @throws UpstreamNotFoundError when the API has no such endpoint; the public one has none yet
 * @throws UpstreamUnavailableError, UpstreamRefusedError
 */
export function listProductOrderTemplates(
  client: ManagementApiClient,
  options: ListOptions = {},
): Promise<Rows<ProductOrderTemplate>> {
  return client.list(
    productOrderTemplate,
    { purpose: 'productOrderTemplates', path: client.productOrderTemplatesPath, idMember: 'templateId' },
    options,
  )
}
