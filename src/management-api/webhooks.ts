import { z } from 'zod'
import { UpstreamNotFoundError } from '../errors.ts'
import type { ListOptions, ManagementApiClient } from './client.ts'
import { id, maybe, type Rows, text } from './parse.ts'

/** In bytes. No server takes one as long. */
const longestUrl = 2000

export const webhook = z.looseObject({
  id,
  /** Where events go, as it was registered: for reading, not for a link (see httpUrl in parse.ts). */
  url: text.refine((url) => Buffer.byteLength(url) <= longestUrl),
  /** Event names such as `epayments.payment.captured.v1`. */
  events: maybe(z.array(text)).transform((events) => events ?? []),
})
export type Webhook = z.output<typeof webhook>

/**
 * The webhooks registered for the sales unit `msn`; without one, those of the organisation itself, which for a
 * partner cover every sales unit it manages. Sales unit keys only see those of their own sales unit.
 * @throws UpstreamNotFoundError when there is no such sales unit or it is not shared, without a call where sales
 *   unit keys are asked for another one
 * @throws UpstreamUnavailableError, UpstreamRefusedError
 */
export async function listWebhooks(
  client: ManagementApiClient,
  { msn, ...options }: ListOptions & { readonly msn?: string | undefined } = {},
): Promise<Rows<Webhook>> {
  // The API would answer with the keys' own sales unit, and a page would say that they are this one's.
  if (msn !== undefined && client.onlyMsn !== undefined && msn !== client.onlyMsn) {
    throw new UpstreamNotFoundError({ purpose: 'webhooks' })
  }
  return client.list(
    webhook,
    {
      purpose: 'webhooks',
      api: 'webhooks',
      path: '/webhooks/v1/webhooks',
      member: 'webhooks',
      msn,
      idMember: 'id',
    },
    options,
  )
}
