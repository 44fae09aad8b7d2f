import { z } from 'zod'
import { UpstreamNotFoundError } from '../errors.ts'
import type { ListOptions, ManagementApiClient } from './client.ts'
import { id, maybe, member, type Rows, text } from './parse.ts'

/** In bytes; no server accepts longer URLs. */
const longestUrl = 2000

/** A webhook registration, as the API sends it. */
export const webhook = z.looseObject({
  id,
  /** The registered URL: to be shown, not linked (see httpUrl in parse.ts). */
  url: member(text.refine((url) => url.trim() !== '' && Buffer.byteLength(url) <= longestUrl)),
  /** Event names such as `epayments.payment.captured.v1`. */
  events: maybe(z.array(text)).transform((events) => (events ?? []).filter((event) => event.trim() !== '')),
})
/** A parsed webhook. */
export type Webhook = z.output<typeof webhook>

/**
 * The webhooks of the sales unit `msn`; without one, those of the organisation itself, which for a partner cover all
 * its sales units. Sales unit credentials only see those of their own sales unit.
 * @throws UpstreamNotFoundError when the sales unit does not exist or is not shared; without a call when sales unit
 * credentials are used for another one
 * @throws UpstreamUnavailableError, UpstreamRefusedError
 */
export async function listWebhooks(
  client: ManagementApiClient,
  { msn, ...options }: ListOptions & { readonly msn?: string | undefined } = {},
): Promise<Rows<Webhook>> {
  // The API would answer with the credentials' own sales unit, and a page would show that as this one's.
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
