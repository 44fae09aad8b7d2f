import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CommandDeps } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/commands.ts'
import { channelUrlProblem, isPublicAddress } from '../../src/domain/public-address.ts'
import { createLogger } from '../../src/logger.ts'
import { lookupPublic, postJson } from '../../src/notices/post.ts'
import { makeDue } from '../../src/store/due.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const nordlys = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' } as const

let test: TestPortal
let team: Upstream
beforeAll(async () => {
  test = await startTestPortal({ env: { CHANNELS_ALLOW_PRIVATE: 'true' } })
  team = await startUpstream()
})
afterAll(async () => {
  await Promise.all([test.stop(), team.close()])
})
beforeEach(async () => {
  await test.portal.database.pool.query('delete from notice_channels; delete from notice_marks')
})

async function notify(line: string, deps: Partial<CommandDeps> = {}) {
  const logger = createLogger('silent')
  const organisations = new Map([['partner/12345', nordlys]])
  const sync = () => Promise.reject(new Error('this command reads nothing'))
  return runCommand(
    { database: test.portal.database, organisations, allowPrivateChannels: true, logger, sync, ...deps },
    ['notify', ...line.split(' ').filter(Boolean)],
    { tell: () => {}, signal: new AbortController().signal, operator: 'kim' },
  )
}

/** Completes an order with a hostile name of its merchant, and makes a pass. */
async function complete(at?: Date): Promise<string> {
  const order = test.world.productOrders.find(
    ({ partnerId, body }) => partnerId === nordlys.id && body.status !== 'COMPLETED',
  )
  if (!order) throw new Error('no order is left')
  Object.assign(order.body, { status: 'COMPLETED' })
  await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
  await test.settled()
  const { pool } = test.portal.database
  const id = order.body.productOrderId
  await pool.query('update product_orders set merchant_name = $1 where key = $2', [
    '<!all> [x](http://e.example) *&',
    id,
  ])
  await test.portal.notices?.pass(at)
  return id
}

function bodiesTo(path: string): string[] {
  return team.to(path).map(({ body }) => body)
}

describe('notify', () => {
  it('adds, lists without secrets, and removes a channel, with audit entries', async () => {
    const added = await notify(`partner:12345 --slack ${team.url}/T0/B0/secret-path --events completed,rejected`)
    expect(added.output).toMatch(
      /^Nordlys Platform AS \(partner 12345\) now tells slack \([\da-f-]{36}\) of: completed, rejected\.$/,
    )
    const listed = (await notify('')).output
    expect(listed).toContain(`partner 12345  slack  ${team.url}/…path`)
    expect(listed).not.toContain('secret-path')
    const id = /\(([\da-f-]{36})\)/.exec(added.output)?.[1]
    expect((await notify('partner 12345 --remove 00000000-0000-0000-0000-000000000000')).exitCode).toBe(1)
    expect((await notify(`partner 12345 --remove ${id}`)).output).toContain('has been removed')
    expect((await notify('partner 12345')).output).toBe('There are no channels.')
    const { rows } = await test.portal.database.pool.query(
      `select event, details from audit where event like 'channel%' order by id`,
    )
    expect(rows).toEqual([
      { event: 'channel added', details: { kind: 'slack', events: 'completed,rejected', by: 'kim' } },
      { event: 'channel removed', details: { by: 'kim' } },
    ])
  })

  it.each([
    ['partner:12345 --slack http://hooks.example/x', 'must be https'],
    ['partner:12345 --slack nonsense', 'is not a URL'],
    ['partner:12345 --teams https://10.0.0.1/x', 'leads to a private address'],
    ['partner:12345 --webhook https://[::ffff:127.0.0.1]/x', 'leads to a private address'],
    ['partner:12345 --webhook https://user:pass@hooks.example/x', 'must not have a user'],
    ['partner:12345 --slack https://hooks.example/x --events sold', '"sold" is not an event: completed'],
    ['partner:12345 --slack https://hooks.example/x --language xx', '--language is one of en'],
    ['partner:99999 --slack https://hooks.example/x', 'is unknown: add it to the organisations file'],
    ['partner:12345 --slack https://a.example/x --teams https://b.example/x', 'give one of'],
  ])('refuses %s', async (line, words) => {
    const { exitCode, error } = await notify(line, { allowPrivateChannels: false })
    expect([exitCode > 0, error]).toEqual([true, expect.stringContaining(words)])
  })
})

describe('a channel', () => {
  it('gets JSON as Slack and Teams take it, in which no name is a link or a mention', async () => {
    await notify(`partner:12345 --slack ${team.url}/slack`)
    await notify(`partner:12345 --teams ${team.url}/teams --language nb`)
    team.answer('/slack', { status: 200, body: 'ok' })
    team.answer('/teams', { status: 202 })
    const id = await complete()
    await test.portal.notices?.pass()
    const [slack, ...again] = bodiesTo('/slack')
    expect(again).toEqual([])
    const url = `${test.url}/partners/12345/product-orders/${id}`
    expect(JSON.parse(slack ?? '')).toMatchObject({
      text: 'Nordlys Platform AS: 1 order completed',
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text: `*<${test.url}/partners/12345|Nordlys Platform AS>*` } },
        { text: { text: expect.stringContaining(`• <${url}|&lt;!all&gt; [x](http://e.example) *&amp;`) } },
      ],
    })
    const [teams = ''] = bodiesTo('/teams')
    expect(JSON.parse(teams)).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            type: 'AdaptiveCard',
            body: [
              { text: 'Nordlys Platform AS' },
              { text: '1 bestilling fullført' },
              { text: expect.stringContaining(String.raw`[\<!all\> \[x\]\(http://e.example\) \*&`) },
            ],
          },
        },
      ],
    })
  })

  it('gets signed messages, and the same one again after a failure, at last not', async () => {
    const { output } = await notify(`partner:12345 --webhook ${team.url}/hook`)
    const secret = /whsec_(\S+)$/.exec(output)?.[1] ?? ''
    team.answer('/hook', { status: 503 }, { status: 429, headers: { 'Retry-After': '120' } }, { status: 204 })
    const now = Date.now()
    const id = await complete(new Date(now))
    for (const seconds of [61, 150, 200, 400]) await test.portal.notices?.pass(new Date(now + seconds * 1000))
    const sent = team.to('/hook')
    expect(sent).toHaveLength(3)
    for (const { headers, body } of sent) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
      const mac = createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64')
      expect(headers['webhook-signature']).toBe(`v1,${mac}`)
    }
    expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(JSON.parse(sent[2]?.body ?? '')).toMatchObject({
      type: 'partner-portal.notice',
      data: { organisation: 'partner/12345', events: [{ event: 'completed', count: 1, items: [{ id }] }] },
    })
    team.answer('/hook', { status: 410 })
    await complete(new Date(now + 500_000))
    await test.portal.notices?.pass(new Date(now + 900_000))
    expect(team.to('/hook')).toHaveLength(4)
    expect(test.log()).toContain('notice given up')
    for (const hidden of [secret, `${team.url}/hook`]) expect(test.log()).not.toContain(hidden)
  })
})

describe('addresses', () => {
  it('of the operator’s own network are private, in every spelling', () => {
    const own = ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0']
    const own6 = ['::1', '::', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::a00:1', 'nonsense']
    expect([...own, ...own6].filter(isPublicAddress)).toEqual([])
    expect(['3.3.3.3', '172.32.0.1', '2001:4860:4860::8888'].filter((each) => !isPublicAddress(each))).toEqual([])
    for (const host of ['localhost', '2130706433', '0x7f.1', '[::1]'])
      expect([host, channelUrlProblem(`https://${host}/x`, false)]).toEqual([host, expect.stringContaining('private')])
  })

  it('are checked again where a name is resolved', async () => {
    const error = await new Promise((resolve) => lookupPublic('localhost', {}, resolve))
    expect(error).toMatchObject({ code: 'EPRIVATE' })
    const options = { id: '1', secret: null, at: new Date(), allowPrivate: false }
    expect(await postJson(`${team.url}/x`, {}, options)).toMatchObject({ ok: false, reason: 'must be https' })
  })

  it('in redirects are not followed', async () => {
    const options = { id: '1', secret: null, at: new Date(), allowPrivate: true }
    team.answer('/moved', { status: 302, headers: { Location: `${team.url}/elsewhere` } })
    expect(await postJson(`${team.url}/moved`, {}, options)).toMatchObject({
      reason: 'status 302',
      retryAfterSeconds: undefined,
    })
    expect(team.to('/elsewhere')).toEqual([])
  })
})
