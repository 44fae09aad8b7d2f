import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'cheerio'
import { install, type RealProvider, type Registration, serve, versionOf } from './provider.ts'
import type { Visitor } from './visitor.ts'

/** LemonLDAP::NG's portal, and what its packages only recommend but its OpenID Connect issuer needs. */
const packages = [
  'liblemonldap-ng-portal-perl',
  'lemonldap-ng-fastcgi-server',
  'libgd-securityimage-perl',
  'libimage-magick-perl',
  'libstring-random-perl',
  'libio-string-perl',
  'libcrypt-openssl-rsa-perl',
  'libcrypt-openssl-x509-perl',
  'libcrypt-openssl-bignum-perl',
  'libcrypt-urandom-perl',
]

/** Starts LemonLDAP::NG with its demo users and a configuration of its own, and the portal as client. */
export async function startLemonLdap(
  directory: string,
  port: number,
  registration: Registration,
): Promise<RealProvider> {
  await install(packages)
  const issuer = `http://127.0.0.1:${port}`
  const home = join(directory, 'lemonldap')
  for (const name of ['conf', 'cache', 'sessions/lock', 'persistent/lock'])
    mkdirSync(join(home, name), { recursive: true })
  writeFileSync(join(home, 'conf/lmConf-1.json'), JSON.stringify(configurationOf(home, issuer, registration)))
  writeFileSync(join(home, 'lemonldap-ng.ini'), iniOf(home))
  const run = `Lemonldap::NG::Portal::Main->run({ configStorage => { confFile => '${home}/lemonldap-ng.ini' } });`
  writeFileSync(join(home, 'app.psgi'), `use Lemonldap::NG::Portal::Main;\n${run}\n`)
  const listen = ['-E', 'deployment', '--host', '127.0.0.1', '--port', String(port)]
  const stop = await serve('plackup', [...listen, 'app.psgi'], home, `${issuer}/.well-known/openid-configuration`)
  return {
    name: await versionOf('liblemonldap-ng-portal-perl'),
    issuer,
    env: {},
    audiences: {},
    user: { name: 'Doctor Who', email: 'dwho@badwolf.org' },
    signIn: async (visitor, request) => submitLogin(visitor, request, registration.portalUrl),
    signOut: async (visitor, request) => visitor.follow(request, registration.portalUrl),
    stop,
  }
}

/** Signs in as one of the demo users, with the form and its hidden fields. */
async function submitLogin(visitor: Visitor, request: URL, portalUrl: string) {
  const { text, url } = await visitor.follow(request, portalUrl)
  const $ = load(text)
  const form = $('form').has('input[name="password"]').first()
  const fields = form.find('input[name]').toArray()
  const hidden = fields.map((field) => [$(field).attr('name') ?? '', $(field).attr('value') ?? ''] as const)
  const answer = await visitor.request(new URL(form.attr('action') ?? '', url), {
    form: { ...Object.fromEntries(hidden), user: 'dwho', password: 'dwho' },
  })
  return answer.location && !answer.location.href.startsWith(portalUrl)
    ? visitor.follow(answer.location, portalUrl)
    : answer
}

/** The packaged configuration with its own directories, the OpenID Connect issuer and the portal as relying party. */
function configurationOf(home: string, issuer: string, { portalUrl, clientSecret }: Registration): object {
  const packaged = JSON.parse(readFileSync('/var/lib/lemonldap-ng/conf/lmConf-1.json', 'utf8')) as object
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    ...packaged,
    portal: `${issuer}/`,
    domain: '127.0.0.1',
    registerDB: 'Null',
    notification: 0,
    portalDisplayRegister: 0,
    portalDisplayResetPassword: 0,
    loginHistoryEnabled: 0,
    portalCheckLogins: 0,
    globalStorageOptions: {
      Directory: join(home, 'sessions'),
      LockDirectory: join(home, 'sessions/lock'),
      generateModule: 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256',
    },
    persistentStorageOptions: { Directory: join(home, 'persistent'), LockDirectory: join(home, 'persistent/lock') },
    localSessionStorageOptions: { cache_root: join(home, 'cache'), namespace: 'sessions', default_expires_in: 600 },
    issuerDBOpenIDConnectActivation: 1,
    oidcServiceMetaDataIssuer: issuer,
    oidcServicePrivateKeySig: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    oidcServicePublicKeySig: publicKey.export({ type: 'spki', format: 'pem' }),
    oidcServiceKeyIdSig: 'one',
    oidcServiceAllowAuthorizationCodeFlow: 1,
    oidcServiceMetaDataAuthnContext: { 'loa-2': 2 },
    oidcRPMetaDataExportedVars: { portal: { name: 'cn', email: 'mail' } },
    oidcRPMetaDataOptions: {
      portal: {
        oidcRPMetaDataOptionsClientID: 'portal',
        oidcRPMetaDataOptionsClientSecret: clientSecret,
        oidcRPMetaDataOptionsDisplayName: 'Portal',
        oidcRPMetaDataOptionsRedirectUris: `${portalUrl}/auth/callback`,
        oidcRPMetaDataOptionsPostLogoutRedirectUris: `${portalUrl}/`,
        oidcRPMetaDataOptionsBypassConsent: 1,
        oidcRPMetaDataOptionsLogoutBypassConfirm: 1,
        oidcRPMetaDataOptionsRequirePKCE: 1,
        oidcRPMetaDataOptionsIDTokenSignAlg: 'RS256',
        oidcRPMetaDataOptionsUserInfoSignAlg: 'RS256',
      },
    },
    cfgNum: '1',
  }
}

function iniOf(home: string): string {
  const logger = 'Lemonldap::NG::Common::Logger::Std'
  return `[all]
logLevel=warn
logger=${logger}
userLogger=${logger}
[configuration]
type=File
dirName=${home}/conf
localStorage=Cache::FileCache
localStorageOptions={'namespace'=>'configuration','default_expires_in'=>600,'cache_root'=>'${home}/cache','cache_depth'=>3}
[portal]
staticPrefix=/static
templateDir=/usr/share/lemonldap-ng/portal/templates
languages=en
[handler]
`
}
