import type { Random } from './random.ts'
import type { DemoKeys, DemoMerchant, DemoOrganisation, DemoSalesUnit, DemoWorld } from './types.ts'

const partners: [id: string, name: string, type: 'partner' | 'management'][] = [
  ['12345', 'Nordlys Platform AS', 'partner'],
  ['23456', 'Fjordkasse & Sønner POS AS', 'partner'],
  ['34567', 'Tyhjä Aloitus Oy', 'management'],
]

/** Business ids of the merchants with credentials; the one with an MSN has sales unit credentials. */
const merchantsWithKeys: [id: string, msn?: string][] = [
  ['311900456'],
  ['91234567'],
  ['9234567-8'],
  ['313402778', '140512'],
]

/**
 * All organisations that can call the API. The credentials of partner 23456 name an MSN when it has any sales unit,
 * those of partner 12345 do not, to cover both forms.
 */
export function organisations(
  merchants: readonly DemoMerchant[],
  salesUnits: readonly DemoSalesUnit[],
  random: Random,
): DemoOrganisation[] {
  return [
    ...partners.map(([id, name, type]): DemoOrganisation => {
      const msn = id === '23456' ? salesUnits.find(({ partnerId }) => partnerId === id)?.body.msn : undefined
      const keys: DemoKeys =
        type === 'management'
          ? { type, ...client(random) }
          : {
              type,
              ...client(random),
              subscriptionKey: subscriptionKey(random),
              ...(msn === undefined ? {} : { merchantSerialNumber: msn }),
            }
      return { organisation: { kind: 'partner', id, name }, keys }
    }),
    ...merchantsWithKeys.map(([id, msn]): DemoOrganisation => {
      const merchant = merchants.find(({ body }) => body.businessIdentifier.id === id)
      if (!merchant) throw new Error(`no demo merchant ${id}`)
      const { businessIdentifier, name } = merchant.body
      const keys: DemoKeys =
        msn === undefined
          ? { type: 'management', ...client(random) }
          : {
              type: 'sales-unit',
              ...client(random),
              subscriptionKey: subscriptionKey(random),
              merchantSerialNumber: msn,
            }
      return { organisation: { kind: 'merchant', ...businessIdentifier, name }, keys }
    }),
  ]
}

function client(random: Random): { clientId: string; clientSecret: string } {
  return {
    clientId: random.uuid(),
    clientSecret: `demo-secret-${random.uuid()}`,
  }
}

function subscriptionKey(random: Random): string {
  return `demo-subscription-${random.uuid().replaceAll('-', '')}`
}

/** The content of the portal's organisations file, with credentials that only the demo API accepts. */
export type OrganisationsFile = {
  partners: { id: string; name: string; keys: DemoKeys }[]
  merchants: { scheme: string; id: string; name: string; keys: DemoKeys }[]
}

/** The organisations file for all organisations of the demo world. */
export function organisationsFile(world: DemoWorld): OrganisationsFile {
  const file: OrganisationsFile = { partners: [], merchants: [] }
  for (const { organisation, keys } of world.organisations) {
    if (organisation.kind === 'partner') {
      const { id, name } = organisation
      file.partners.push({ id, name, keys: { ...keys } })
    } else {
      const { scheme, id, name } = organisation
      file.merchants.push({ scheme, id, name, keys: { ...keys } })
    }
  }
  return file
}
