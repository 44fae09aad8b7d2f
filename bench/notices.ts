import { openNotices } from '../src/notices/setup.ts'
import { createLogger } from '../src/logger.ts'
import { holdOrganisations } from '../src/domain/organisations.ts'
import { migrate } from '../src/store/migrations.ts'
import { startMailServer } from '../test/support/mail-server.ts'
import { createDatabase } from './fixture.ts'
import { atMost } from './report.ts'
import { openFixtureDatabase } from './seed.ts'

const [people, partners, ordersEach] = [1000, 200, 100]

/** Measures one pass that mails a digest to each of 1,000 people over 200 partners, each with 100 completed orders. */
export async function measureNotices(): Promise<void> {
  const { url, db } = await createDatabase()
  const database = openFixtureDatabase(url)
  const logger = createLogger('warn')
  await migrate(database, logger)
  await db.query(
    `insert into users (id, issuer, subject, verified_email, verified_email_at)
     select gen_random_uuid(), 'https://eid.example', n::text, n || '@example.com', now() from generate_series(1, $1) n`,
    [people],
  )
  await db.query(
    `with mine as (select id, 'partner/' || 100000 + subject::int % $1 as organisation from users),
       granted as (insert into grants (user_id, organisation) select * from mine)
     insert into notice_settings
       (user_id, organisation, language, events, digest, digest_due_at, digest_change, digest_from)
     select id, organisation, 'en', '{}', 'daily', now(), 0, now() - interval '1 day' from mine`,
    [partners],
  )
  await db.query(
    `with orders as (
       insert into product_orders (organisation, key, status, product_order_type, product_type, merchant_name,
         first_seen_at, last_seen_at, changed_at)
       select 'partner/' || 100000 + p, gen_random_uuid(), 'COMPLETED', 'PREFILL', 'CASHIER', 'Merchant ' || n,
         now() - interval '3 days', now(), now()
       from generate_series(0, $1::int - 1) p, generate_series(1, $2::int) n
       returning organisation, key)
     insert into changes (organisation, at, resource, key, kind, fields)
     select organisation, now(), 'productOrder', key, 'changed', '{"status": ["ORDER_SUBMITTED", "COMPLETED"]}'
     from orders`,
    [partners, ordersEach],
  )
  await db.query('analyze')
  const mails = await startMailServer()
  const organisations = holdOrganisations(
    Array.from({ length: partners }, (_, at) => ({ kind: 'partner', id: String(100_000 + at), name: `Partner ${at}` })),
  )
  const config = {
    notices: { isOn: true, partnerTimeZone: 'Europe/Oslo' },
    allowPrivateChannels: false,
    mail: {
      smtp: { host: '127.0.0.1', port: mails.port, secure: false, loopback: true, credentials: undefined },
      from: { name: 'Partner portal', address: 'portal@example.com' },
    },
    portalUrl: 'https://portal.example.com',
    sessionSecrets: ['session-secret-of-the-bench-0123456789'],
    serviceName: 'Vipps MobilePay',
  }
  // Two instances: each mail is sent by one of them.
  const instances = [0, 1].map(() => openNotices(config, organisations, database, logger, 1_000_000_000))
  const began = performance.now()
  await Promise.all(instances.map(async (instance) => instance?.pass()))
  const seconds = (performance.now() - began) / 1000
  await Promise.all(instances.map(async (instance) => instance?.stop()))
  const once = new Set(mails.mails.flatMap(({ to }) => to)).size
  const note = `${mails.mails.length} mails to ${once} people`
  atMost(`digests of ${people} people over ${partners} partners: one pass`, seconds, 60, ' s', note)
  atMost('digests that were not mailed, or twice', Math.abs(people - once) + mails.mails.length - once, 0)
  await Promise.all([mails.stop(), database.close()])
}
