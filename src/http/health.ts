import { Router } from 'express'

/** Whether the process is ready for traffic, and the reason when it is not. */
export type Readiness = () => Promise<{ readonly ready: boolean; readonly reason?: string }>

/** `/healthz`: the process runs. `/readyz`: it is ready for traffic, else 503. */
export function health(readiness: Readiness): Router {
  const router = Router()
  router.get('/healthz', (_req, res) => {
    res.locals.route = '/healthz'
    res.set('Cache-Control', 'no-store').json({ status: 'ok' })
  })
  router.get('/readyz', async (_req, res) => {
    res.locals.route = '/readyz'
    const { ready, reason } = await readiness()
    res
      .status(ready ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: ready ? 'ready' : 'not ready', reason })
  })
  return router
}
