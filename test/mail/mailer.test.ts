import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { codeMail } from '../../src/mail/code-mail.ts'
import { createMailer, ehloNameOf, type SmtpServer } from '../../src/mail/mailer.ts'
import { smtpServer } from '../../src/config/values.ts'
import { createMemoryLog } from '../support/log.ts'
import { type MailServer, type Refusals, startMailServer } from '../support/mail-server.ts'

let server: MailServer
afterEach(async () => server?.stop())

const from = { name: 'Pørtal, "the" <one>\r\nBcc: b@example.com', address: 'portal@example.com' }
const mail = { subject: 'Code\r\nBcc: c@example.com', text: 'Hæi', html: '<p>Hæi</p>', language: 'nb' }

function smtpOf(url: string): SmtpServer {
  return smtpServer.parse(url)
}

function mailerOf(smtp: SmtpServer, name: string | undefined = 'portal.example') {
  const { logger, log } = createMemoryLog()
  return { mailer: createMailer({ smtp, from, name }, logger), log }
}

it('a mail has text and HTML for one address, without header injection from name or subject', async () => {
  server = await startMailServer()
  await mailerOf(smtpOf(`smtp://127.0.0.1:${server.port}`)).mailer.send('a@example.com', mail)
  const [sent] = server.mails
  expect([sent?.from, sent?.to]).toEqual(['portal@example.com', ['a@example.com']])
  expect([sent?.text.trim(), sent?.html.trim()]).toEqual(['Hæi', '<p>Hæi</p>'])
  const { headers } = sent!
  expect(headers.get('to')).toBe('a@example.com')
  expect([...headers.keys()].toSorted()).toEqual(
    [
      'auto-submitted',
      'content-language',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
      'x-auto-response-suppress',
    ].toSorted(),
  )
  expect(headers.get('auto-submitted')).toBe('auto-generated')
  expect(headers.get('from')).toMatch(/<portal@example\.com>$/)
})

describe('a remote server', () => {
  it.each(['smtp://mail.example.com', 'smtp://10.0.0.1:25'])('must offer TLS: %s', async (url) => {
    // Treated as remote, although it is the local server on loopback.
    server = await startMailServer()
    const smtp = { ...smtpOf(url), host: '127.0.0.1', port: server.port }
    expect(smtp.loopback).toBe(false)
    const { mailer } = mailerOf(smtp)
    await expect(mailer.send('a@example.com', mail)).rejects.toThrow('ETLS')
    expect(server.mails).toEqual([])
  })

  it('must have a trusted certificate', async () => {
    server = await startMailServer({ smtp: {} })
    const { mailer } = mailerOf({
      ...smtpOf('smtp://mail.example.com'),
      host: '127.0.0.1',
      port: server.port,
    })
    await expect(mailer.send('a@example.com', mail)).rejects.toThrow(/CERT/)
    expect(server.mails).toEqual([])
  })
})

it.each([
  ['https://portal.example.com', 'portal.example.com'],
  ['http://localhost:3000', 'localhost'],
])('a server on this machine is told the host of %s, and gets TLS where the server has it', async (portalUrl, name) => {
  const seen: unknown[] = []
  server = await startMailServer({
    smtp: {
      onMailFrom: (_from, { secure, hostNameAppearsAs }, done) => {
        seen.push({ secure, hostNameAppearsAs })
        done()
      },
    },
  })
  await mailerOf(smtpOf(`smtp://127.0.0.1:${server.port}`), ehloNameOf(portalUrl)).mailer.send('a@example.com', mail)
  expect(seen).toEqual([{ secure: true, hostNameAppearsAs: name }])
})

it.each(['http://127.0.0.1:3000', 'http://[::1]:3000'])('the library spells an address by itself: %s', (portalUrl) => {
  expect(ehloNameOf(portalUrl)).toBeUndefined()
})

describe('a failure', () => {
  it.each<[Refusals, RegExp]>([
    [{ rcpt: 550 }, /^taken$/],
    [{ rcpt: 551 }, /^taken$/],
    [{ rcpt: 553 }, /^taken$/],
    [{ rcpt: 450 }, /EENVELOPE/],
    [{ rcpt: 452 }, /EENVELOPE/],
    [{ rcpt: 504 }, /EENVELOPE/],
    [{ rcpt: 552 }, /EENVELOPE/],
    [{ rcpt: 554 }, /EENVELOPE/],
    [{ data: 451 }, /EMESSAGE/],
    [{ data: 554 }, /EMESSAGE/],
  ])('of the server is logged without the address: %j', async (refuse, expected) => {
    server = await startMailServer({ refuse })
    const { mailer, log } = mailerOf(smtpOf(`smtp://127.0.0.1:${server.port}`))
    const outcome = await mailer.send('a@example.com', mail).then(
      () => 'taken',
      (error: unknown) => String(error),
    )
    expect(outcome).toMatch(expected)
    expect(log()).toContain(`"answer":${Object.values(refuse).join()}`)
    expect(log()).toMatch(/"words":"\d{3} [^"]*(: no such mailbox|cannot take mail for …)"/)
    expect(log()).not.toContain('a@example.com')
  })

  it('of the server is logged without the name of the mailbox, and cut', async () => {
    const words = `5.1.1 User ola.nordmann unknown; ola.nordmann@example.com ${'x'.repeat(500)}`
    server = await startMailServer({
      smtp: {
        disabledCommands: ['AUTH', 'STARTTLS'],
        onRcptTo: (_to, _session, done) => done(Object.assign(new Error(words), { responseCode: 554 })),
      },
    })
    const { mailer, log } = mailerOf(smtpOf(`smtp://127.0.0.1:${server.port}`))
    await expect(mailer.send('ola.nordmann@example.com', mail)).rejects.toThrow('EENVELOPE')
    expect(log()).toMatch(/"words":"554 5\.1\.1 User … unknown; … x{50,180}"/)
    expect(log()).not.toContain('nordmann')
  })

  it('to connect is logged with the code of the system', async () => {
    const { mailer, log } = mailerOf(smtpOf('smtp://127.0.0.1:1'))
    await expect(mailer.send('a@example.com', mail)).rejects.toThrow('ECONNREFUSED')
    expect(log()).toContain('"reason":"ECONNREFUSED"')
  })

  it('to use the credentials, because the server takes none, is an error', async () => {
    server = await startMailServer()
    const { mailer, log } = mailerOf(smtpOf(`smtp://user:pass@127.0.0.1:${server.port}`))
    await expect(mailer.send('a@example.com', mail)).rejects.toThrow('EAUTH')
    expect(log()).toMatch(/"answer":5\d\d,"words":"5\d\d /)
    expect(server.mails).toEqual([])
  })

  it('of authentication is reported without the credentials', async () => {
    server = await startMailServer({
      smtp: {
        authOptional: false,
        allowInsecureAuth: true,
        disabledCommands: ['STARTTLS'],
        onAuth: (_auth, _session, done) => done(new Error('no')),
      },
    })
    const { mailer, log } = mailerOf(smtpOf(`smtp://us%40er:pa%3Ass@127.0.0.1:${server.port}`))
    await expect(mailer.send('a@example.com', mail)).rejects.toThrow('EAUTH')
    expect(log()).not.toMatch(/us@er|pa:ss/)
  })

  it('to answer times out within 16 s', async () => {
    const silent = createServer()
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { mailer } = mailerOf(smtpOf(`smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`))
    const before = performance.now()
    await expect(mailer.send('a@example.com', mail)).rejects.toThrow('ETIMEDOUT')
    expect(performance.now() - before).toBeLessThan(16_000)
    silent.close()
  })
})

it('the mail with a code has the code and no link', () => {
  const words = { code: 'en', t: (key: string, values = {}) => `${key} ${JSON.stringify(values)}` }
  const { text, html, subject } = codeMail(
    words,
    { code: '012345', minutes: 10, host: 'portal.example' },
    (view, locals) => JSON.stringify([view, locals]),
  )
  expect(text).toContain('\n    012 345\n')
  expect(html).toContain('012 345')
  expect(text + html + subject).not.toMatch(/https?:/)
})

describe('SMTP_URL', () => {
  it.each<[string, Partial<SmtpServer>]>([
    ['smtps://smtp.example.com', { host: 'smtp.example.com', port: 465, secure: true, loopback: false }],
    ['smtp://smtp.example.com', { port: 587, secure: false, loopback: false }],
    ['smtp://localhost:2525', { port: 2525, loopback: true }],
    ['smtp://[::1]:25', { host: '::1', port: 25, loopback: true }],
    ['smtps://a%40b:c%2Fd@smtp.example.com:466', { port: 466, credentials: { user: 'a@b', pass: 'c/d' } }],
  ])('is parsed: %s', (url, expected) => {
    expect(smtpOf(url)).toMatchObject(expected)
  })
})
