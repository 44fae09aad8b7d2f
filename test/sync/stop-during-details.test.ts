import { expect, it } from 'vitest'
import { startTestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'

it('a stop while details are read logs no error and no failure', async () => {
  const test = await startTestPortal({ synced: false, faults: { latencyMs: 100 } })
  await until(() => /"purpose":"salesUnit".*"status":200/.test(test.log()))
  const before = test.log().length
  await test.stop()
  const loud = test
    .log()
    .slice(before)
    .split('\n')
    .filter((line) => /"level":[456]0/.test(line))
  expect(loud).toEqual([])
  expect(test.log()).toContain('"msg":"portal stopped"')
})
