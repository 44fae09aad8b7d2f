import { HtmlValidate } from 'html-validate'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { everyPage } from '../support/every-page.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let pages: Awaited<ReturnType<typeof everyPage>>['pages']
let missing: string[]
beforeAll(async () => {
  test = await startTestPortal()
  ;({ pages, missing } = await everyPage(test))
})
afterAll(async () => test.stop())

const validator = new HtmlValidate({
  extends: ['html-validate:recommended'],
  rules: {
    // The white space of the templates does not matter.
    'no-trailing-whitespace': 'off',
    // HTML allows either case.
    'doctype-style': 'off',
    // This rule is for search engines; a title has the name of the record and of the organisation, which can be long.
    'long-title': 'off',
    // HTML allows every id without white space; those of records are UUIDs.
    'valid-id': ['error', { relaxed: true }],
    // The checkboxes of one filter share their name, so that the form sends all values.
    'form-dup-name': ['error', { shared: ['radio', 'button', 'reset', 'submit', 'checkbox'] }],
  },
})

async function faultsOf(where: string, text: string): Promise<string[]> {
  const { results } = await validator.validateString(text)
  return results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, selector }) => `${where}: ${ruleId}: ${message} (${selector})`),
  )
}

it('the walk visits every page of the site map', () => {
  // These redirect to another page.
  expect(missing).toEqual(['/login', '/language/:code'])
})

it('every page is valid HTML', async () => {
  const faults = await Promise.all(
    pages.map(async ({ path, visit, name }) => faultsOf(`${path} (${name})`, visit.text)),
  )
  expect(faults.flat()).toEqual([])
})
