import { expect, it } from 'vitest'
import { browserFixture } from '../support/browser/fixture.ts'

const { signedOut, portal } = browserFixture()

it('watch() reports errors, policy violations and failed requests', async () => {
  const { page, watched } = await signedOut()
  await page.goto('/')
  await page.evaluate(`(async () => {
    const link = document.createElement('link')
    Object.assign(link, { rel: 'stylesheet', href: '${portal().issuer}/x.css' })
    document.body.append(link)
    document.body.setAttribute('style', 'color: red')
    setTimeout(() => { throw new Error('on purpose') })
    try { document.body.innerHTML = '<b>text</b>' } catch {}
    await fetch('/no/such/file').catch(() => {})
    await fetch('${portal().issuer}/elsewhere').catch(() => {})
    console.warn('a warning')
  })()`)
  await page.route('/broken', async (route) => route.fulfill({ status: 503 }))
  await page.evaluate(async () => fetch('/broken'))
  await page.route('/cut', async (route) => route.abort('connectionreset'))
  await page.evaluate(async () => fetch('/cut').catch(() => {}))
  await expect.poll(() => watched.seen.length).toBeGreaterThan(9)
  const all = watched.seen.join('\n')
  for (const part of [
    'CSP enforce style-src-elem',
    'CSP enforce style-src-attr',
    'CSP enforce require-trusted-types-for',
    'CSP enforce connect-src',
    'exception: on purpose',
    'console warning: a warning',
    '503 from',
    'failed: ',
  ])
    expect(all).toContain(part)
  watched.expect(/./)
})

it('watch() reports a request to another origin', async () => {
  const { page, watched } = await signedOut({ bypassCSP: true })
  await page.goto('/')
  await page.route('http://elsewhere.example/**', async (route) => route.fulfill({ body: '' }))
  await page.evaluate(async () => fetch('http://elsewhere.example/x', { mode: 'no-cors' }).catch(() => {}))
  expect(watched.seen.join()).toContain('request to elsewhere: http://elsewhere.example/x')
  watched.expect(/./)
})
