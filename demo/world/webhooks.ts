import type { Random } from './random.ts'
import type { DemoSalesUnit, DemoWebhook } from './types.ts'
const allPayments = payment(
  'created',
  'authorized',
  'captured',
  'cancelled',
  'refunded',
  'aborted',
  'expired',
  'terminated',
)
const recurring = ['recurring.agreement-activated.v1', 'recurring.agreement-stopped.v1', 'recurring.charge-captured.v1']

const rows: [registeredFor: string, url: string, events: string[]][] = [
  ['partner/12345', 'https://hooks.nordlys.example/vipps/payments', allPayments],
  ['partner/12345', 'https://hooks.nordlys.example/vipps/recurring?env=prod&team=ære', recurring],
  ['partner/12345', 'https://backup.nordlys.example/in', payment('captured', 'refunded')],
  ['partner/23456', 'https://pos.fjordkasse.example/webhooks', allPayments],
  ['partner/23456', 'https://pos.fjordkasse.example/checked-in', ['user.checked-in.v1']],
  ['msn/123456', 'https://acme-fitness.example/webhooks/vipps', [...payment('captured'), ...recurring]],
  ['msn/123456', 'https://acme-fitness.example/doors', ['user.checked-in.v1']],
  ['msn/230001', 'https://fitness-kbh.example/betaling', payment('created', 'aborted', 'expired')],
  ['msn/231777', 'https://oles-gym.example/hook', [...payment('captured'), 'payouts.settled.v3']],
  ['msn/140512', 'https://cafe-orsta.example/vipps', payment('captured', 'cancelled')],
  ['msn/290001', 'https://saimaansauna.example/maksut', payment('captured', 'terminated')],
  ['merchant/business:NO:ORG/311900456', 'https://acme-fitness.example/webhooks/all', allPayments],
  ['merchant/business:DK:CVR/91234567', 'https://fitness-kbh.example/alle', allPayments],
]

/** Registrations of the partners, of some merchants and of single sales units: every 30th of `many` has one. */
export function webhooks(many: readonly DemoSalesUnit[], random: Random): DemoWebhook[] {
  return [
    ...rows.map(([registeredFor, url, events]) => ({
      registeredFor,
      body: { id: random.uuid(), url: new URL(url).href, events: [...events] },
    })),
    ...many
      .filter((_, index) => index % 30 === 0)
      .map(({ body: { msn } }) => ({
        registeredFor: `msn/${msn}`,
        body: {
          id: random.uuid(),
          url: `https://pos.fjordkasse.example/tills/${msn}`,
          events: payment('captured', 'refunded'),
        },
      })),
  ]
}

function payment(...names: string[]): string[] {
  return names.map((name) => `epayments.payment.${name}.v1`)
}
