import type { IncomingHttpHeaders } from 'node:http'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { listSalesUnits } from '../../src/management-api/sales-units.ts'
import { listWebhooks } from '../../src/management-api/webhooks.ts'
import type { Answer } from '../support/upstream.ts'
import { createFixture, keys, rejection, salesUnitsPath } from '../support/management-api-client.ts'

const system = {
  'vipps-system-name': 'partner-portal',
  'vipps-system-version': '1.2.3',
  'vipps-system-plugin-name': 'a name of more than thirty cha',
  'vipps-system-plugin-version': '4',
}

function absent(...names: string[]) {
  return Object.fromEntries(names.map((name) => [name, undefined]))
}

function pick(headers: object, expected: object) {
  return Object.fromEntries(Object.keys(expected).map((name) => [name, new Map(Object.entries(headers)).get(name)]))
}

const { management, partner, 'sales-unit': salesUnit } = keys
const basic = `Basic ${Buffer.from(`${management.clientId}:${management.clientSecret}`).toString('base64')}`

function standard(own: typeof partner | typeof salesUnit) {
  return {
    client_id: own.clientId,
    client_secret: own.clientSecret,
    'ocp-apim-subscription-key': own.subscriptionKey,
    'content-length': '0',
    ...absent('authorization'),
  }
}

test.each([
  {
    name: 'management credentials',
    own: management,
    path: '/miami/v1/token',
    body: 'grant_type=client_credentials',
    token: {
      authorization: basic,
      ...absent('ocp-apim-subscription-key', 'client_id', 'client_secret', 'merchant-serial-number'),
    },
    call: absent('ocp-apim-subscription-key', 'merchant-serial-number', 'client_secret'),
  },
  {
    name: 'partner credentials',
    own: partner,
    path: '/accesstoken/get',
    body: '',
    token: { ...standard(partner), ...absent('merchant-serial-number') },
    call: {
      'ocp-apim-subscription-key': partner.subscriptionKey,
      ...absent('merchant-serial-number', 'client_secret'),
    },
  },
  {
    name: 'partner credentials for one sales unit',
    own: { ...partner, merchantSerialNumber: '777777' },
    path: '/accesstoken/get',
    body: '',
    token: { ...standard(partner), 'merchant-serial-number': '777777' },
    call: { 'ocp-apim-subscription-key': partner.subscriptionKey, ...absent('merchant-serial-number') },
  },
  {
    name: 'sales unit credentials',
    own: salesUnit,
    path: '/accesstoken/get',
    body: '',
    token: { ...standard(salesUnit), 'merchant-serial-number': '654321' },
    call: { 'ocp-apim-subscription-key': salesUnit.subscriptionKey, 'merchant-serial-number': '654321' },
  },
])('the headers of token request and call for $name', async ({ own, path, body, token, call }) => {
  const { client, upstream } = await createFixture({ keys: own })
  upstream.answer(salesUnitsPath, { body: [] })
  upstream.answer('/webhooks/v1/webhooks', { body: { webhooks: [] } })
  await listSalesUnits(client)
  await listWebhooks(client)
  const [forToken, ...calls] = upstream.requests
  expect(forToken).toMatchObject({ method: 'POST', path, body })
  expect(pick(forToken?.headers ?? {}, token)).toEqual(token)
  expect(forToken?.headers).toMatchObject(system)
  expect(calls).toHaveLength(2)
  for (const { headers } of calls) {
    expect(headers).toMatchObject({ ...system, authorization: 'Bearer token-very-secret-1' })
    expect(pick(headers, call)).toEqual(call)
  }
})

/** All that a logger can print of an error, with its causes. */
function printed(error: unknown): string {
  return [
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(error),
    String(error instanceof Error && error.stack),
  ].join()
}

/** An answer that quotes the request headers, as some gateways send it. */
function quoteHeaders(headers: IncomingHttpHeaders) {
  const sent = ['authorization', 'client_id', 'client_secret', 'ocp-apim-subscription-key']
    .map((name) => headers[name] ?? '')
    .join(' ')
  return { title: sent, traceId: sent, detail: sent, error: sent }
}

test.each(Object.values(keys))('$type credentials and their tokens are in no log line and no error', async (own) => {
  const secrets = [own.clientId, own.clientSecret, 'subscriptionKey' in own ? own.subscriptionKey : basic.slice(6)]
  const answers: Answer[] = [
    { body: [] },
    ...[400, 401, 403, 404, 429, 500].map((status) => ({ status, body: quoteHeaders })),
    { status: 500, body: `<html>${secrets.join()}</html>` },
    { body: secrets.join() },
    { body: (headers: IncomingHttpHeaders) => [quoteHeaders(headers), secrets] },
    { cut: true },
    { hang: 'in body' },
    { status: 302, headers: { location: `/?${secrets.join()}` } },
  ]
  for (const answer of answers) {
    for (const path of [salesUnitsPath, '/accesstoken/get', '/miami/v1/token']) {
      const { client, upstream, logText } = await createFixture({ keys: own, limits: { timeoutMs: 50 } })
      upstream.answer(path, answer)
      const error: unknown = await listSalesUnits(client).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      const seen = printed(error) + logText()
      expect(logText()).toContain('"organisation":"partner/12345"')
      for (const secret of [...secrets, ...upstream.tokens]) expect(seen).not.toContain(secret)
    }
  }
})

test('secrets that cannot be sent as headers are in no log line and no error', async () => {
  const odd = { ...partner, clientSecret: 'odd-Qk42\nsecret' }
  const { client, logText } = await createFixture({ keys: odd })
  expect(printed(await rejection(listSalesUnits(client))) + logText()).not.toContain('Qk42')
  const second = await createFixture()
  second.upstream.answer('/accesstoken/get', { body: { access_token: 'odd-Qk42\nø✓', expires_in: 100 } })
  expect(printed(await rejection(listSalesUnits(second.client))) + second.logText()).not.toContain('Qk42')
})
