import type { RequestHandler, Response } from 'express'
import type { Logger } from '../../src/logger.ts'
import { type OrganisationReference, organisationKey } from '../../src/domain/organisation.ts'

/** A request that the demo API received; without credentials, tokens and bodies. */
export type RequestRecord = {
  method: string
  /** The path with its query. */
  path: string
  /** 0 until it is answered, and for good when the connection was closed. */
  status: number
  /** The caller by organisationKey(); undefined when the credentials or the token were refused. */
  organisation: string | undefined
  headers: {
    merchantSerialNumber: string | undefined
    systemName: string | undefined
    systemVersion: string | undefined
    systemPluginName: string | undefined
    systemPluginVersion: string | undefined
  }
  /** The time of the request, in ms since the epoch. */
  at: number
}

const mostKept = 10_000
const records = new WeakMap<Response, RequestRecord>()

/** Keeps the last 10 000 requests in `requests`, oldest first, and logs each at its end. */
export function recordRequests(requests: RequestRecord[], logger: Logger): RequestHandler {
  return (req, res, next) => {
    const record: RequestRecord = {
      method: req.method,
      path: req.originalUrl,
      status: 0,
      organisation: undefined,
      headers: {
        merchantSerialNumber: req.get('Merchant-Serial-Number'),
        systemName: req.get('Vipps-System-Name'),
        systemVersion: req.get('Vipps-System-Version'),
        systemPluginName: req.get('Vipps-System-Plugin-Name'),
        systemPluginVersion: req.get('Vipps-System-Plugin-Version'),
      },
      at: Date.now(),
    }
    requests.push(record)
    if (requests.length > mostKept) requests.shift()
    records.set(res, record)
    res.on('finish', () => {
      record.status = res.statusCode
    })
    res.on('close', () => {
      const { method, path, status, organisation, at } = record
      logger.debug({ method, path, status, organisation, ms: Date.now() - at }, 'demo Management API')
    })
    next()
  }
}

/** Records the caller of a request. */
export function recordCaller(res: Response, organisation: OrganisationReference): void {
  const record = records.get(res)
  if (record) record.organisation = organisationKey(organisation)
}
