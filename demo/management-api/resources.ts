import { type Request, type RequestHandler, type Response, Router } from 'express'
import { businessIdPattern, msnPattern, organisationKey, schemePattern } from '../../src/domain/organisation.ts'
import type { BusinessIdentifier, DemoProductOrder, DemoSalesUnit, DemoWebhook, DemoWorld } from '../world/types.ts'
import { callerOf } from './caller.ts'
import { Problem } from './problems.ts'
import { createRowIndex } from './row-index.ts'
import { visibleMerchant, visibleSalesUnit, visibleSalesUnits } from './visibility.ts'

const uuidPattern = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

const ordersById = createRowIndex<DemoProductOrder>(({ body }) => body.productOrderId)
const webhooksByOwner = createRowIndex<DemoWebhook>(({ registeredFor }) => registeredFor, {
  mostHaveNone: true,
})

/** All read endpoints. Requires `requireCaller`; returns only what the caller may see. */
export function resourceRoutes(world: DemoWorld): Router {
  const router = Router()

  router.get('/management/v1/sales-units', (_req, res) => {
    sendRows(res, salesUnitRows(visibleSalesUnits(world, callerOf(res).organisation)))
  })
  router.get('/management/v1/sales-units/:msn', (req, res) => {
    const msn = checked('msn', req.params['msn'], msnPattern)
    res.json(found(visibleSalesUnit(world, callerOf(res).organisation, msn), `Sales unit ${msn}`).body)
  })
  router.get('/management/v1/merchants/:scheme/:id', (req, res) => {
    const seen = visibleMerchant(world, callerOf(res).organisation, identifierOf(req))
    res.json(found(seen, 'Merchant').merchant.body)
  })
  router.get('/management/v1/merchants/:scheme/:id/sales-units', (req, res) => {
    const seen = visibleMerchant(world, callerOf(res).organisation, identifierOf(req))
    sendRows(res, salesUnitRows(found(seen, 'Merchant').salesUnits))
  })
  router.get('/management/v2/product-orders', listProductOrders(world))
  router.get('/management/v2/product-orders/:productOrderId/details', (req, res) => {
    const id = checked('productOrderId', req.params['productOrderId'], uuidPattern).toLowerCase()
    const partnerId = partnerOf(res)
    const row = ordersById(world.productOrders, id).find((order) => order.partnerId === partnerId)
    res.json(found(row, 'Product order').body)
  })
  router.get('/management/v1/partners/price-packages', (_req, res) => {
    const partnerId = partnerOf(res)
    if (partnerId === undefined) throw new Problem(403, 'Price packages are for partners only.')
    const rows = world.pricePackages.filter((row) => row.partnerId === partnerId)
    sendRows(
      res,
      rows.map(({ body }) => body),
    )
  })
  router.get('/management/v1/product-order-templates', (_req, res) => {
    const partnerId = partnerOf(res)
    if (partnerId === undefined || !world.partnersWithTemplates.includes(partnerId)) {
      throw new Problem(404, 'Resource not found.')
    }
    const rows = world.templates.filter((row) => row.partnerId === partnerId)
    sendRows(
      res,
      rows.map(({ body }) => body),
    )
  })
  router.get('/webhooks/v1/webhooks', listWebhooks(world))

  return router
}

/** Production sometimes answers an empty list with 204; the demo always does, so that clients handle it. */
function sendRows(res: Response, rows: readonly unknown[], body: unknown = rows): void {
  if (rows.length === 0) res.status(204).end()
  else res.json(body)
}

function salesUnitRows(salesUnits: readonly DemoSalesUnit[]): unknown[] {
  return salesUnits.map(({ body: { msn, name } }, index) => ({ msn: msnInRow(msn, index), name }))
}

function checked(name: string, value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new Problem(400, `${name} is malformed.`)
  return value
}

function found<T>(row: T | undefined, what: string): T {
  if (row === undefined) throw new Problem(404, `${what} was not found.`)
  return row
}

function identifierOf(req: Request): BusinessIdentifier {
  return {
    scheme: checked('scheme', req.params['scheme'], schemePattern),
    id: checked('id', req.params['id'], businessIdPattern),
  }
}

function listProductOrders(world: DemoWorld): RequestHandler {
  return (req, res) => {
    const includeExpired = checked('includeExpired', req.query['includeExpired'] ?? 'false', /^(true|false)$/)
    const partnerId = partnerOf(res)
    const rows = world.productOrders.filter(
      (row) => row.partnerId === partnerId && (includeExpired === 'true' || row.body.status !== 'EXPIRED'),
    )
    sendRows(res, orderRows(rows))
  }
}

function partnerOf(res: Response): string | undefined {
  const { organisation } = callerOf(res)
  return organisation.kind === 'partner' ? organisation.id : undefined
}

function listWebhooks(world: DemoWorld): RequestHandler {
  return (req, res) => {
    const { organisation } = callerOf(res)
    const msn = req.get('Merchant-Serial-Number')
    if (msn !== undefined) found(visibleSalesUnit(world, organisation, msn), `Sales unit ${msn}`)
    const registeredFor = msn === undefined ? organisationKey(organisation) : `msn/${msn}`
    const webhooks = webhooksByOwner(world.webhooks, registeredFor).map(({ body }) => body)
    sendRows(res, webhooks, { webhooks })
  }
}

/** Production lists have contained numeric MSNs: every seventh row has one here. */
function msnInRow(msn: string, index: number): string | number {
  return index % 7 === 6 ? Number(msn) : msn
}

/** Every seventh order with a sales unit has a numeric MSN. */
function orderRows(orders: readonly DemoProductOrder[]): unknown[] {
  let salesUnits = 0
  return orders.map(({ body }) => {
    if (!body.salesUnit) return body
    const { msn, name } = body.salesUnit
    return { ...body, salesUnit: { msn: msnInRow(msn, salesUnits++), name } }
  })
}
