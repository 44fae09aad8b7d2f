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
    // How the templates are laid out, which nobody sees.
    'no-trailing-whitespace': 'off',
    // HTML asks for neither case.
    'doctype-style': 'off',
    // For search engines, which see none of this; a title says what and who, however long they are called.
    'long-title': 'off',
    // HTML allows every id without white space, and those of records are UUIDs.
    'valid-id': ['error', { relaxed: true }],
    // Boxes of one filter share their name: that is how a form sends many.
    'form-dup-name': ['error', { shared: ['radio', 'button', 'reset', 'submit', 'checkbox'] }],
  },
})

async function faultsOf(where: string, text: string): Promise<string[]> {
  const { results } = await validator.validateString(text)
  return results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, selector }) => `${where}: ${ruleId}: ${message} (${selector})`),
  )
}

it('visits every page of the site map', () => {
  // These lead on to another page.
  expect(missing).toEqual(['/login', '/language/:code'])
})

it('every page is valid HTML', async () => {
  const faults = await Promise.all(
    pages.map(async ({ path, visit, name }) => faultsOf(`${path} (${name})`, visit.text)),
  )
  expect(faults.flat()).toEqual([])
})
