import type { RequestHandler } from 'express'
import { organisationKey } from '../../src/domain/organisation.ts'
import { callerOf } from './caller.ts'
import type { FaultAnswer } from './faults.ts'

/** What Azure and the API answer these organisations instead of their webhooks. */
const gatewayAnswers: Readonly<Record<string, FaultAnswer>> = {
  'partner/34567': {
    status: 403,
    headers: { 'Retry-After': '120' },
    body: { statusCode: 403, message: 'Out of call volume quota. Quota will be replenished in 00:02:00.' },
  },
  'merchant/business:NO:ORG/311900456': {
    status: 401,
    body: {
      statusCode: 401,
      message: 'Access denied due to invalid subscription key. Make sure to provide a valid key.',
    },
  },
  'merchant/business:DK:CVR/91234567': {
    status: 503,
    headers: { 'Retry-After': '60' },
    body: { statusCode: 503, message: 'Weekly maintenance, Monday 01:00-05:00 CET.' },
  },
  'merchant/business:FI:Y-tunnus/9234567-8': {
    status: 400,
    body: {
      title: 'Bad Request',
      status: '400',
      extraDetails: [{ name: 'Merchant-Serial-Number', reason: 'is not known' }],
    },
  },
  'merchant/business:NO:ORG/313402778': {
    status: 429,
    headers: { 'Retry-After': '0' },
    body: { statusCode: 429, message: 'Rate limit is exceeded. Try again in 5 seconds.' },
  },
}

/**
 * Sends answers as the API may: with a byte order mark, doubled members and, every second time, order IDs in upper case.
 * The webhooks of some organisations get an answer of the gateway instead. Requires `requireCaller`.
 */
export function oddAnswers(): RequestHandler {
  let answers = 0
  return (req, res, next) => {
    const answer = req.path === '/webhooks/v1/webhooks' && gatewayAnswers[organisationKey(callerOf(res).organisation)]
    if (answer) {
      res.status(answer.status).set(answer.headers ?? {})
      res.type('application/json').send(JSON.stringify(answer.body))
      return
    }
    answers += 1
    const isUpper = answers % 2 === 0
    res.json = (body: unknown) => {
      const doubled = JSON.stringify(body).replaceAll('"productType":', '"productType":{"doubled":null},"productType":')
      const text = isUpper ? doubled.replaceAll(/"productOrderId":"[^"]*"/g, upperId) : doubled
      return res.type('application/json').send(`\uFEFF${text}`)
    }
    next()
  }
}

function upperId(member: string): string {
  return member.replace(/:.*/, (id) => id.toUpperCase())
}
