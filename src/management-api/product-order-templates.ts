import { z } from 'zod'
import type { ListOptions, ManagementApiClient } from './client.ts'
import { id, link, maybe, type Rows, text } from './parse.ts'

/** A link that a partner hands to its merchants, with some fields of the order form set or locked. */
export const productOrderTemplate = z.looseObject({
  templateId: id,
  name: text,
  /** http(s); undefined when the API sent something else, which nobody should hand out. */
  url: link,
  productType: maybe(text),
  pricePackageId: maybe(text),
  /** The fields that the merchant cannot change, in the API's words; empty when nothing is said. */
  lockedFields: maybe(z.array(text)).transform((fields) => fields ?? []),
  /** RFC 3339 date-time, as it came. */
  createdAt: maybe(text),
})
export type ProductOrderTemplate = z.output<typeof productOrderTemplate>

/**
 * Every product order template of the partner.
 * @throws UpstreamNotFoundError where the API has no such endpoint: the public one has none yet
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
