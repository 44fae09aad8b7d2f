import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { msnPattern } from '../../src/domain/organisation.ts'
import type { DemoOrganisation, DemoWorld } from '../world/types.ts'
import { Problem } from './problems.ts'
import { recordCaller } from './requests.ts'
import type { Tokens } from './tokens.ts'
import { canUseMsn } from './visibility.ts'

const systemHeaders = [
  'Vipps-System-Name',
  'Vipps-System-Version',
  'Vipps-System-Plugin-Name',
  'Vipps-System-Plugin-Version',
]

/** Requires the Vipps-System-* headers, also on token requests: 400 that names the header. */
export function requireSystemHeaders(req: Request, _res: Response, next: NextFunction): void {
  for (const header of systemHeaders) {
    const value = req.get(header)
    if (!value) throw new Problem(400, `Header ${header} is required.`)
    if (value.length > 30) throw new Problem(400, `Header ${header} is longer than 30 characters.`)
  }
  next()
}

const callers = new WeakMap<Response, DemoOrganisation>()

/** The organisation that sent the request; throws on routes without `requireCaller`. */
export function callerOf(res: Response): DemoOrganisation {
  const caller = callers.get(res)
  if (!caller) throw new Error('callerOf needs requireCaller on this route')
  return caller
}

/** Refuses a request without a valid token, or whose subscription key or MSN does not match the token. */
export function requireCaller(world: DemoWorld, tokens: Tokens): RequestHandler {
  return (req, res, next) => {
    const token = /^Bearer (\S+)$/i.exec(req.get('Authorization') ?? '')?.[1]
    const caller = token === undefined ? undefined : tokens.owner(token)
    if (!caller) throw new Problem(401, 'The access token is missing, expired or not valid.')
    recordCaller(res, caller.organisation)
    callers.set(res, caller)

    const { keys } = caller
    if (keys.type !== 'management' && req.get('Ocp-Apim-Subscription-Key') !== keys.subscriptionKey) {
      throw new Problem(401, 'Access denied due to missing or invalid subscription key.')
    }
    const msn = req.get('Merchant-Serial-Number')
    if (msn !== undefined && !msnPattern.test(msn)) {
      throw new Problem(400, 'Header Merchant-Serial-Number is malformed.')
    }
    if (keys.type === 'sales-unit') {
      if (msn === undefined) throw new Problem(400, 'Header Merchant-Serial-Number is required.')
      if (!canUseMsn(world, caller, msn)) throw new Problem(403, 'These keys are not for this sales unit.')
    }
    next()
  }
}
