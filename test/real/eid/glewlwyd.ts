import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { install, type RealProvider, type Registration, run, serve, versionOf } from './provider.ts'
import { Visitor } from './visitor.ts'

const user = { username: 'kari', name: 'Kari Nordmann', email: 'kari@example.com', password: 'password-of-kari' }

const sessionCookie = 'OIDC_SID'

/** Starts Glewlwyd with an empty database, its OpenID Connect plugin, and the portal as client. */
export async function startGlewlwyd(
  directory: string,
  port: number,
  registration: Registration,
): Promise<RealProvider> {
  await install(['sqlite3', 'dbconfig-sqlite3', 'glewlwyd'])
  const origin = `http://127.0.0.1:${port}`
  const database = join(directory, 'glewlwyd.db')
  await run('sqlite3', [database], readFileSync('/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3', 'utf8'))
  const configuration = join(directory, 'glewlwyd.conf')
  writeFileSync(configuration, configurationOf(origin, port, database))
  const stop = await serve('glewlwyd', [`--config-file=${configuration}`], directory, `${origin}/config`)
  const issuer = `${origin}/api/oidc`
  await configure(origin, issuer, registration).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    name: await versionOf('glewlwyd'),
    issuer,
    env: { OIDC_SCOPE: 'openid' },
    audiences: { issuer: false, token_endpoint: true },
    user,
    signIn: async (visitor, request) => {
      const login = await visitor.follow(request, `${origin}/login.html`)
      await visitor.request(`${origin}/api/auth/`, { json: { username: user.username, password: user.password } })
      await visitor.request(`${origin}/api/auth/grant/portal/`, { method: 'PUT', json: { scope: 'openid' } })
      const callback = login.location?.searchParams.get('callback_url') ?? ''
      return visitor.follow(`${callback}&g_continue`, registration.portalUrl)
    },
    signOut: async (visitor, request) => {
      const page = await visitor.follow(request, `${origin}/login.html`)
      const { searchParams } = page.location ?? page.url
      await endSession(visitor, origin, searchParams.get('sid') ?? '')
      const back = searchParams.get('callback_url')
      return { ...page, location: back === null ? undefined : new URL(back) }
    },
    endSession: async (visitor) => endSession(visitor, origin, visitor.cookie(origin, sessionCookie) ?? ''),
    stop,
  }
}

/** What the logout page does after the user has pressed its button. */
async function endSession(visitor: Visitor, origin: string, sid: string): Promise<void> {
  await visitor.request(`${origin}/api/oidc/session/${sid}`, { method: 'DELETE' })
  await visitor.request(`${origin}/api/auth/`, { method: 'DELETE' })
}

/** The packaged configuration, on loopback, with a database of its own. */
function configurationOf(origin: string, port: number, database: string): string {
  return readFileSync('/usr/share/glewlwyd/templates/glewlwyd-debian.conf.properties', 'utf8')
    .replace(/^port=.*/m, `port=${port}`)
    .replace(/^#bind_address.*/m, 'bind_address="127.0.0.1"')
    .replace(/^external_url=.*/m, `external_url="${origin}"`)
    .replace(/^log_mode=.*/m, 'log_mode="console"')
    .replace(/^@include.*/m, `database = { type = "sqlite3"; path = "${database}"; };`)
}

async function configure(
  origin: string,
  issuer: string,
  { portalUrl, clientSecret, publicKeys }: Registration,
): Promise<void> {
  const admin = new Visitor()
  const send = async (path: string, json: unknown, method?: string): Promise<void> => {
    const { status, text } = await admin.request(`${origin}/api/${path}`, { json, ...(method ? { method } : {}) })
    if (status !== 200) throw new Error(`Glewlwyd refuses ${path}: ${status} ${text}`)
  }
  await send('auth/', { username: 'admin', password: 'password' })
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await send('mod/plugin/', {
    module: 'oidc',
    name: 'oidc',
    display_name: 'OpenID Connect',
    enabled: true,
    parameters: {
      iss: issuer,
      'jwt-type': 'ecdsa',
      'jwt-key-size': '256',
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: publicKey.export({ type: 'spki', format: 'pem' }),
      'access-token-duration': 3600,
      'refresh-token-duration': 3600,
      'code-duration': 60,
      'refresh-token-rolling': false,
      'auth-type-code-enabled': true,
      'auth-type-refresh-enabled': true,
      'jwks-show': true,
      'name-claim': 'mandatory',
      'email-claim': 'mandatory',
      'pkce-allowed': true,
      'oauth-as-iss-id': true,
      'oauth-par-allowed': true,
      'oauth-par-required': false,
      'oauth-par-request_uri-prefix': 'urn:ietf:params:oauth:request_uri:',
      'oauth-par-duration': 90,
      'request-parameter-allow': true,
      'client-jwks-parameter': 'jwks',
      'session-management-allowed': true,
      'session-cookie-name': sessionCookie,
      'session-cookie-expiration': 3600,
      'back-channel-logout-allowed': true,
    },
  })
  // The packaged data format lacks the property that the plugin reads.
  const { text } = await admin.request(`${origin}/api/mod/client/database`)
  const module = JSON.parse(text) as { parameters: { 'data-format': Record<string, unknown> } }
  module.parameters['data-format']['post_logout_redirect_uris'] = { multiple: true, read: true, write: true }
  await send('mod/client/database', module, 'PUT')
  await send('mod/client/database/reset', {}, 'PUT')
  await send('client/', {
    client_id: 'portal',
    name: 'Portal',
    enabled: true,
    confidential: true,
    client_secret: clientSecret,
    password: clientSecret,
    redirect_uri: [`${portalUrl}/auth/callback`],
    post_logout_redirect_uris: [`${portalUrl}/`],
    backchannel_logout_uri: `${portalUrl}/auth/backchannel-logout`,
    backchannel_logout_session_required: '1',
    authorization_type: ['code'],
    token_endpoint_auth_method: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    jwks: publicKeys,
    scope: ['openid'],
  })
  await send('user/', { ...user, enabled: true, scope: ['openid', 'g_profile'] })
}
