import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDatabase } from '../../../../demo/database.ts'
import { startTestPortal, type TestPortal } from '../../../support/portal.ts'
import { freePort, withServers, type Workshop } from '../server.ts'

// nginx and HAProxy with TLS in front of the portal, with keep-alive to it.
await withServers(['nginx-light', 'haproxy'], async (shop) => {
  const database = await startDatabase({ directory: join(shop.directory, 'database') })
  if (!database) throw new Error('the database does not start')
  const certificate = makeCertificate(shop.directory)
  const proxyPort = await freePort()
  const test = await startTestPortal({
    env: {
      DATABASE_URL: database.url,
      PORTAL_URL: `https://localhost:${proxyPort}`,
      TRUST_PROXY: '127.0.0.1',
      SHUTDOWN_DELAY_MS: '0',
    },
  })
  try {
    for (const [name, startProxy] of [
      ['nginx', startNginx],
      ['HAProxy', startHaProxy],
    ] as const) {
      const proxy = await startProxy(shop, { certificate, portal: new URL(test.url).port, port: proxyPort })
      await tryProxy(shop, name, { test, port: proxyPort, ca: readFileSync(certificate.certificate) })
      proxy.kill('SIGTERM')
      await new Promise((resolve) => proxy.once('close', resolve))
    }
  } finally {
    await test.stop()
    await database.stop()
  }
})

type Certificate = { readonly certificate: string; readonly key: string; readonly both: string }
type Setup = { readonly certificate: Certificate; readonly portal: string; readonly port: number }

function makeCertificate(directory: string): Certificate {
  const [certificate, key, both] = ['tls.crt', 'tls.key', 'tls.pem'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  })
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 })
  return { certificate, key, both }
}

async function startNginx({ directory, serve }: Workshop, { certificate, portal, port }: Setup) {
  const file = join(directory, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off;
pid ${directory}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  upstream portal {
    server 127.0.0.1:${portal} max_fails=0;
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate.certificate};
    ssl_certificate_key ${certificate.key};
    location / {
      proxy_pass http://portal;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  )
  return serve('/usr/sbin/nginx', ['-c', file, '-p', directory], port)
}

async function startHaProxy({ directory, serve }: Workshop, { certificate, portal, port }: Setup) {
  const file = join(directory, 'haproxy.cfg')
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 75s
frontend public
  bind 127.0.0.1:${port} ssl crt ${certificate.both} alpn h2,http/1.1
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  default_backend portal
backend portal
  option httpchk GET /readyz
  http-reuse safe
  server one 127.0.0.1:${portal} check inter 1s
`,
  )
  return serve('/usr/sbin/haproxy', ['-db', '-f', file], port)
}

type Answer = { readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly text: string }

async function tryProxy(
  { check }: Workshop,
  name: string,
  { test, port, ca }: { readonly test: TestPortal; readonly port: number; readonly ca: Buffer },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, ca })
  const ask = async (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ) =>
    new Promise<Answer>((resolve, reject) => {
      const asked = request(
        {
          agent,
          host: '127.0.0.1',
          servername: 'localhost',
          port,
          path,
          method: options.method ?? 'GET',
          headers: { host: `localhost:${port}`, ...options.headers },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        },
      )
      asked.once('error', reject).end(options.body)
    })
  const page = await ask('/')
  check(`${name}: the sign-in page`, page.status === 200 && page.text.includes('<h1'), page.text)
  const style = /href="(\/assets\/[^"]+\.css)"/.exec(page.text)?.[1] ?? '/none'
  check(`${name}: the style sheet`, (await ask(style)).status === 200)
  const login = await ask('/login')
  check(
    `${name}: sign-in leads to the eID, with a secure cookie`,
    login.status === 302 &&
      String(login.headers.location).startsWith(test.issuer) &&
      /__Host-.*Secure/i.test(String(login.headers['set-cookie'])),
    JSON.stringify(login.headers),
  )
  const [jar] = [String(login.headers['set-cookie']).split(';')[0] ?? '']
  check(`${name}: HSTS`, String(page.headers['strict-transport-security']).startsWith('max-age='), page.headers)
  const before = test.log().length
  await ask('/no/such/page', { headers: { 'X-Forwarded-For': '198.51.100.7' } })
  check(
    `${name}: the portal sees the forwarded address and no untrusted proxy`,
    !test.log().slice(before).includes('untrusted'),
    '',
  )
  const form = { cookie: jar, 'content-type': 'application/x-www-form-urlencoded' }
  const post = async () => (await ask('/language', { method: 'POST', headers: form, body: 'language=nb' })).status
  const posts: number[] = []
  // Bursts open connections to the portal, which are then idle for longer than Node.js keeps them by default.
  for (const idleMs of [0, 1000, 5000, 5500, 6000, 0]) {
    await sleep(idleMs)
    posts.push(...(await Promise.all(Array.from({ length: 32 }, post))))
  }
  const bad = posts.filter((status) => status >= 500)
  check(
    `${name}: ${posts.length} POSTs over connections that were idle, none with 5xx`,
    bad.length === 0 && posts.length > 0,
    posts.join(),
  )
  agent.destroy()
}
