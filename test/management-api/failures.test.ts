import { expect, test } from 'vitest'
import {
  NotFoundError,
  UpstreamNotFoundError,
  UpstreamRefusedError,
  UpstreamUnavailableError,
} from '../../src/errors.ts'
import { requestScope } from '../../src/logger.ts'
import { getMerchant } from '../../src/management-api/merchants.ts'
import { getSalesUnit, listSalesUnits } from '../../src/management-api/sales-units.ts'
import type { Answer } from '../support/upstream.ts'
import { createFixture, rejection, salesUnitsPath } from '../support/management-api-client.ts'

const ok: Answer = { body: [{ msn: '123456', name: 'Kaffe' }] }
const rows = [{ msn: '123456', name: 'Kaffe' }]

test('a 401 causes one new token and one more attempt', async () => {
  const { client, upstream, log } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 401 }, ok)
  expect((await listSalesUnits(client)).rows).toEqual(rows)
  expect(upstream.to(salesUnitsPath).map(({ headers }) => headers.authorization)).toEqual([
    'Bearer token-very-secret-1',
    'Bearer token-very-secret-2',
  ])
  expect(log().filter(({ purpose }) => purpose === 'salesUnits')).toMatchObject([
    { attempt: 1, status: 401 },
    { attempt: 2, status: 200 },
  ])
})

test('several concurrent 401s cause one new token', async () => {
  const { client, upstream } = await createFixture()
  const refusals = [150, 150, 150, 400].map((delayMs) => ({ status: 401, delayMs }))
  upstream.answer(salesUnitsPath, ...refusals, ok)
  await Promise.all(refusals.map(() => listSalesUnits(client)))
  expect(upstream.tokens).toHaveLength(2)
})

test('a call gets at most one new token in all its attempts', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 401 }, { status: 500 }, { status: 401 }, ok)
  expect(await rejection(listSalesUnits(client))).toBeInstanceOf(UpstreamRefusedError)
  expect(upstream.tokens).toHaveLength(2)
})

test.each([
  ['a second 401', { status: 401, body: { title: 'Access denied', traceId: 'abc' } }, 401, 2],
  ['a 403', { status: 403, body: { title: 'Access denied', traceId: 'abc' } }, 403, 1],
])('%s rejects with a refusal', async (_name, answer, status, calls) => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, answer)
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamRefusedError)
  expect(error).toMatchObject({
    status: 502,
    failure: { purpose: 'salesUnits', status, title: 'Access denied', traceId: 'abc' },
  })
  expect(upstream.to(salesUnitsPath)).toHaveLength(calls)
})

test('a 404 rejects with NotFoundError and is not retried', async () => {
  const { client, upstream } = await createFixture()
  const error = await rejection(getSalesUnit(client, '123456'))
  expect(error).toBeInstanceOf(UpstreamNotFoundError)
  expect(error).toMatchObject({ failure: { purpose: 'salesUnit', status: 404, title: 'Not Found' } })
  expect(upstream.to('/management/v1/sales-units/123456')).toHaveLength(1)
})

test.each([400, 409, 302])('a %i is not retried', async (status) => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status, body: { status: '4xx', title: 7 } })
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamUnavailableError)
  expect(error).toMatchObject({ failure: { purpose: 'salesUnits', status } })
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
})

test.each([
  [
    { status: '500', title: 7, traceId: 'abc' },
    { title: undefined, traceId: 'abc' },
  ],
  [
    { title: 'x'.repeat(500), traceId: 'y'.repeat(500) },
    { title: 'x'.repeat(200), traceId: 'y'.repeat(200) },
  ],
  ['<html>x</html>', { title: undefined, traceId: undefined }],
  [['x'], { title: undefined, traceId: undefined }],
])('problem details are kept up to 200 characters: %o', async (body, kept) => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 400, body })
  expect(await rejection(listSalesUnits(client))).toMatchObject({ failure: { status: 400, ...kept } })
})

test('a redirect is not followed, as it would forward the credentials', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 307, headers: { location: `${upstream.url}/elsewhere` } })
  expect(await rejection(listSalesUnits(client))).toBeInstanceOf(UpstreamUnavailableError)
  expect(upstream.to('/elsewhere')).toHaveLength(0)
})

test.each<[string, Answer]>([
  ['500', { status: 500, body: '<html>Bad day</html>' }],
  ['503', { status: 503 }],
  ['423', { status: 423, body: { title: 'Locked' } }],
  ['429 without Retry-After', { status: 429 }],
  ['a lost connection', { cut: true }],
  ['a body that is cut off', { headers: { 'content-length': '100' }, body: '[', cut: false, hang: 'in body' }],
])('a GET is tried three times: %s', async (_name, answer) => {
  const { client, upstream, log } = await createFixture({ limits: { timeoutMs: 500 } })
  upstream.answer(salesUnitsPath, answer, answer, ok)
  expect((await requestScope.run({ requestId: 'req-1' }, () => listSalesUnits(client))).rows).toEqual(rows)
  expect(log().filter(({ purpose }) => purpose === 'salesUnits')).toMatchObject([
    {
      level: 40,
      attempt: 1,
      requestId: 'req-1',
      organisation: 'partner/12345',
      method: 'GET',
      path: salesUnitsPath,
    },
    { level: 40, attempt: 2 },
    { level: 20, attempt: 3, status: 200, ms: expect.any(Number) },
  ])
})

test.each<[string, Answer, number | undefined]>([
  ['500', { status: 500 }, 500],
  ['429', { status: 429 }, 429],
  ['no answer', { cut: true }, undefined],
  ['a timeout', { hang: 'before' }, undefined],
  ['a timeout in the body', { hang: 'in body' }, undefined],
])('a GET fails after three attempts: %s', async (_name, answer, status) => {
  const { client, upstream } = await createFixture({ limits: { timeoutMs: 500 } })
  upstream.answer(salesUnitsPath, answer)
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamUnavailableError)
  expect(error).toMatchObject({ status: 503, failure: { purpose: 'salesUnits', status } })
  expect(upstream.to(salesUnitsPath)).toHaveLength(3)
})

test('the wait between attempts grows', async () => {
  const { client, upstream } = await createFixture({ limits: { retryDelayMs: 100 } })
  upstream.answer(salesUnitsPath, { status: 500 }, { status: 500 }, ok)
  await listSalesUnits(client)
  const [first = 0, second = 0, third = 0] = upstream.to(salesUnitsPath).map(({ at }) => at)
  expect(second - first).toBeGreaterThanOrEqual(98)
  expect(third - second).toBeGreaterThanOrEqual(198)
})

test('a refused connection rejects with UpstreamUnavailableError', async () => {
  const { client, upstream } = await createFixture()
  await upstream.close()
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamUnavailableError)
  expect(error).toMatchObject({ cause: new Error('ECONNREFUSED') })
})

test('a caller can abort a call in flight', async () => {
  const { client, upstream, log } = await createFixture()
  upstream.answer(salesUnitsPath, { hang: 'before' })
  const controller = new AbortController()
  const given = rejection(listSalesUnits(client, { signal: controller.signal }))
  await expect.poll(() => upstream.to(salesUnitsPath).length).toBe(1)
  const reason = new Error('enough')
  controller.abort(reason)
  expect(await given).toBe(reason)
  await expect.poll(() => log().at(-1)).toMatchObject({ level: 20, purpose: 'salesUnits' })
})

test('an invalid ID rejects with NotFoundError without a request', async () => {
  const { client, upstream } = await createFixture()
  for (const id of ['..', '.', '', '1/2', '%00', 'é', '1?x=1', '\uD800', '1'.repeat(65)]) {
    expect(await rejection(getSalesUnit(client, id))).toBeInstanceOf(NotFoundError)
    expect(await rejection(getMerchant(client, { scheme: 'business:NO:ORG', id }))).toBeInstanceOf(NotFoundError)
  }
  expect(upstream.requests).toHaveLength(0)
})

test.each<[string, unknown, string]>([
  [
    'Azure',
    { statusCode: 401, message: 'Access denied due to invalid subscription key.' },
    'Access denied due to invalid subscription key.',
  ],
  [
    'extraDetails',
    { title: 'Bad', detail: 'Not good.', extraDetails: [{ name: 'msn', reason: 'must be digits' }, null, 'more'] },
    'Not good. msn must be digits more',
  ],
  ['a reason', { reason: 'Backend is\n closed' }, 'Backend is closed'],
  ['an error in an object', { error: { code: 'X1', message: 'Nope' } }, 'X1 Nope'],
  [
    'secrets',
    {
      message: [
        'key sub-Pz55, Bearer abc.def, client_secret=hunter2 and subscription-key: "0f1e"',
        'https://a.example/x?sig=abc a@b.example 12745d37-ce52-55a3-bb28-0479c9d32d7d 0123456789abcdef0123456789abcdef',
      ].join(' '),
    },
    'key [redacted], Bearer [redacted], client_secret=[redacted] and subscription-key: "[redacted]" ' +
      'https://a.example/x?[redacted] [redacted] [redacted] [redacted]',
  ],
])('what the gateway says reaches log and error without secrets: %s', async (_name, body, said) => {
  const { client, upstream, log } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 400, body })
  expect(await rejection(listSalesUnits(client))).toMatchObject({ failure: { status: 400, said } })
  expect(log().at(-1)).toMatchObject({ msg: 'upstream call failed', said })
})

test('what the gateway says is cut to 200 characters', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 400, body: { message: 'no '.repeat(1000) } })
  const error = await rejection(listSalesUnits(client))
  expect(error).toMatchObject({ failure: { said: 'no '.repeat(200).slice(0, 200) } })
})

test('failures that repeat for hours are logged when they begin, every five minutes, and when they end', async () => {
  let now = 0
  const { client, upstream, log } = await createFixture({ now: () => now, tokenLifetime: 1_000_000 })
  upstream.answer(salesUnitsPath, { status: 400, body: { message: 'Maintenance' } })
  for (let minute = 0; minute < 60; minute += 1) {
    now = minute * 60_000
    await rejection(listSalesUnits(client))
  }
  const warnings = () => log().filter(({ level, purpose }) => level === 40 && purpose === 'salesUnits')
  expect(warnings()).toHaveLength(12)
  expect(warnings()[1]).toMatchObject({ repeated: 5, said: 'Maintenance' })
  upstream.answer(salesUnitsPath, ok)
  now += 61_000
  await listSalesUnits(client)
  await listSalesUnits(client)
  expect(log().filter(({ msg }) => msg === 'upstream calls no longer fail')).toMatchObject([{ failures: 60 }])
})
