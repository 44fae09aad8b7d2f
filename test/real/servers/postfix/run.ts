import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { smtpServer } from '../../../../src/config/values.ts'
import { createMailer } from '../../../../src/mail/mailer.ts'
import { createMemoryLog } from '../../../support/log.ts'
import { freePort, give, withServers, type Workshop } from '../server.ts'

const mail = { subject: 'Code', text: 'Your code', html: '<p>Your code</p>', language: 'en' }
const from = { name: 'Partner portal', address: 'portal@example.test' }

// Postfix with STARTTLS, and with the refusals that mail servers have for portals and recipients.
await withServers(['postfix'], async (shop) => {
  const port = await freePort()
  await startPostfix(shop, port)
  for (const [what, to, name, outcome, words] of [
    ['a mailbox', 'ola@example.test', 'portal.example.test', 'sent', undefined],
    ['an unknown mailbox', 'nobody@example.test', 'portal.example.test', 'sent', /"answer":550.*recipient refused/],
    [
      'a domain that the server does not relay to',
      'ola@elsewhere.example',
      'portal.example.test',
      'failed',
      /"answer":554.*Relay access denied/,
    ],
    ['a greylisted mailbox', 'grey@example.test', 'portal.example.test', 'failed', /"answer":450.*Greylisted/],
    ['a full mailbox', 'quota@example.test', 'portal.example.test', 'failed', /"answer":452.*Mailbox full/],
    [
      'a portal without a proper name',
      'ola@example.test',
      'portal',
      'failed',
      /"answer":504.*fully-qualified hostname/,
    ],
  ] as const) {
    const { logger, log } = createMemoryLog()
    const mailer = createMailer({ smtp: smtpServer.parse(`smtp://127.0.0.1:${port}`), from, name }, logger)
    const seen = await mailer.send(to, mail).then(
      () => 'sent',
      () => 'failed',
    )
    const isLogged = words === undefined ? log() === '' : words.test(log())
    const hidesAddresses = !/@|\bola\b|nobody/.test(log())
    shop.check(
      `${what}: ${outcome}, and the log has the server's words`,
      seen === outcome && isLogged && hidesAddresses,
      `${seen} ${log()}`,
    )
  }
  const { logger, log } = createMemoryLog()
  const withCredentials = smtpServer.parse(`smtp://user:pass@127.0.0.1:${port}`)
  const mailer = createMailer({ smtp: withCredentials, from, name: 'portal.example.test' }, logger)
  const seen = await mailer.send('ola@example.test', mail).then(
    () => 'sent',
    () => 'failed',
  )
  shop.check(
    'credentials that the server does not take are an error',
    seen === 'failed' && log().includes('EAUTH'),
    log(),
  )
  const server = readFileSync(join(shop.directory, 'maillog'), 'utf8')
  shop.check('mails to this machine use TLS', /TLS connection established from/.test(server), server.slice(-500))
})

/** An instance of its own: configuration, queue and data are in the directory. */
async function startPostfix({ directory, serve }: Workshop, port: number): Promise<void> {
  chmodSync(directory, 0o755)
  const [config, queue, data] = ['config', 'queue', 'data'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  cpSync('/etc/postfix', config, { recursive: true })
  mkdirSync(queue)
  mkdirSync(data)
  give(data, 'postfix')
  const tls = ['-subj', '/CN=mail.example.test', '-keyout', join(config, 'tls.key'), '-out', join(config, 'tls.crt')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...kind, ...tls], { stdio: 'ignore' })
  const recipients = [
    'nobody@example.test 550 5.1.1 User unknown',
    'grey@example.test 450 4.2.0 Greylisted',
    'quota@example.test 452 4.2.2 Mailbox full',
  ]
  writeFileSync(join(config, 'recipients'), `${recipients.join('\n')}\n`)
  const restrictions = [
    'reject_non_fqdn_helo_hostname',
    `check_recipient_access texthash:${config}/recipients`,
    'reject_unauth_destination',
  ]
  const settings = [
    'compatibility_level = 3.6',
    `queue_directory = ${queue}`,
    `data_directory = ${data}`,
    'myhostname = mail.example.test',
    'mydestination = example.test',
    'mynetworks =',
    'local_recipient_maps =',
    'local_transport = discard',
    'default_transport = discard',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'smtpd_helo_required = yes',
    'smtpd_relay_restrictions = reject_unauth_destination',
    `smtpd_recipient_restrictions = ${restrictions.join(', ')}`,
    'smtpd_tls_security_level = may',
    'smtpd_tls_loglevel = 1',
    `smtpd_tls_cert_file = ${config}/tls.crt`,
    `smtpd_tls_key_file = ${config}/tls.key`,
    `maillog_file = ${directory}/maillog`,
    `maillog_file_prefixes = ${directory}`,
  ]
  writeFileSync(join(config, 'main.cf'), `${settings.join('\n')}\n`)
  const services = readFileSync(join(config, 'master.cf'), 'utf8').replace(/^smtp(\s+inet.*)$/m, `127.0.0.1:${port}$1`)
  const unchrooted = services.replaceAll(/^(\S+\s+(?:inet|unix|fifo|pass)\s+\S+\s+\S+\s+)y/gm, '$1n')
  writeFileSync(join(config, 'master.cf'), `${unchrooted}\npostlog unix-dgram n - n - 1 postlogd\n`)
  execFileSync('postfix', ['-c', config, 'post-install', 'create-missing'], { stdio: 'ignore' })
  await serve('postfix', ['-c', config, 'start-fg'], port)
}
