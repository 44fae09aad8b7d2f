import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createMemoryLog } from './support/log.ts'

function logged(err: unknown): Record<string, unknown> {
  const { logger, log } = createMemoryLog()
  logger.error({ err }, 'it failed')
  return (JSON.parse(log()) as { err: Record<string, unknown> }).err
}

describe('an error in the log', () => {
  it('has type, message, stack, code and cause, and nothing else', () => {
    const cause = Object.assign(new TypeError('no route'), { code: 'EHOSTUNREACH', token: 'secret-1' })
    const error = Object.assign(new Error('upstream is away', { cause }), {
      code: '23505',
      detail: 'Key (email)=(kari@example.com) already exists.',
      state: 'secret-2',
    })
    const err = logged(error)
    expect(err).toEqual({
      type: 'Error',
      message: 'upstream is away',
      stack: error.stack,
      code: '23505',
      cause: { type: 'TypeError', message: 'no route', stack: cause.stack, code: 'EHOSTUNREACH' },
    })
  })

  it.each([
    ['an error copied to a plain object', { message: 'no answer', stack: 'at a library' }],
    ['an error of another realm', runInNewContext(`new RangeError('no answer')`) as unknown],
    ['a thrown string', 'no answer'],
  ])('has its message: %s', (_what, error) => {
    expect(logged(error)).toMatchObject({ message: 'no answer' })
  })

  it('has every error of an AggregateError, and ends at circular causes', () => {
    const refused = Object.assign(new Error('connect ::1:5432'), { code: 'ECONNREFUSED' })
    const all = new AggregateError([refused, new Error('connect 127.0.0.1:5432')])
    refused.cause = all
    expect(logged(all)).toMatchObject({
      type: 'AggregateError',
      errors: [{ message: 'connect ::1:5432', code: 'ECONNREFUSED' }, { message: 'connect 127.0.0.1:5432' }],
    })
  })

  it('omits a code that can be a secret, and the content of a cause that is not an error', () => {
    const error = Object.assign(new Error('x', { cause: { claims: { email: 'kari@example.com' } } }), {
      code: 'aB3-authorization',
    })
    expect(logged(error)).toEqual({
      type: 'Error',
      message: 'x',
      stack: error.stack,
      cause: { type: 'object' },
    })
  })
})

it('the logger redacts fields with the names of secrets', () => {
  const { logger, log } = createMemoryLog()
  logger.info({ code: 'secret', params: { state: 'secret', more: { token: 'secret' } } }, 'hello')
  expect(log()).not.toContain('secret')
  expect(log().match(/\[redacted\]/g)).toHaveLength(3)
})
