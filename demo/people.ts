import type { OrganisationReference } from '../src/domain/organisation.ts'
import type { Role } from '../src/domain/role.ts'

/** A grant of a demo person; `days` from now until its last day, negative for an expired one. */
export type DemoGrant = {
  readonly organisation: OrganisationReference
  readonly role: Role
  readonly days?: number
}

/** A person who can sign in with the demo eID, and their grants. */
export type DemoPerson = {
  /** The eID's subject: opaque, stable and unique. */
  readonly sub: string
  readonly name: string
  readonly email: string
  /** Whether the demo eID vouches for the address; otherwise the person verifies it with a code. */
  readonly emailVerified: boolean
  /** One English sentence about the person, for the page of the demo eID. */
  readonly description: string
  readonly grants: readonly DemoGrant[]
  /** Grants that are created and revoked at once. */
  readonly revoked?: readonly OrganisationReference[]
}

const nordlys: OrganisationReference = { kind: 'partner', id: '12345' }
const fjordkasse: OrganisationReference = { kind: 'partner', id: '23456' }
const empty: OrganisationReference = { kind: 'partner', id: '34567' }
const acme: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '311900456' }
const cafe: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '313402778' }
const sauna: OrganisationReference = { kind: 'merchant', scheme: 'business:FI:Y-tunnus', id: '9234567-8' }

function developer(organisation: OrganisationReference): DemoGrant {
  return { organisation, role: 'developer' }
}

function viewer(organisation: OrganisationReference, days?: number): DemoGrant {
  return {
    organisation,
    role: 'viewer',
    ...(days === undefined ? {} : { days }),
  }
}

/** All demo people, the most typical first. */
export const demoPeople: readonly DemoPerson[] = [
  {
    sub: 'k7w2m9qa',
    name: 'Kari Nordmann',
    email: 'kari.nordmann@nordlys.example',
    emailVerified: true,
    description: 'Works with onboarding at Nordlys Platform AS, a small partner.',
    grants: [developer(nordlys)],
  },
  {
    sub: 'b3x8d1ru',
    name: 'Åse Bjørk',
    email: 'ase.bjork@konsulent.example',
    emailVerified: true,
    description: 'Is a consultant for two partners and two merchants, and switches between them all day.',
    grants: [nordlys, fjordkasse, acme, cafe].map(developer),
  },
  {
    sub: 'm5t0z6yh',
    name: 'Mikko Mäkinen',
    email: 'mikko.makinen@saimaansauna.example',
    emailVerified: true,
    description: 'Runs Saimaan Sauna Oy, a merchant in Finland, and has access to nothing else.',
    grants: [developer(sauna)],
  },
  {
    sub: 'f9c4n2ve',
    name: 'Freja Østergård',
    email: 'freja.ostergard@ny.example',
    emailVerified: true,
    description: 'Is new, has never signed in before and has no access yet.',
    grants: [],
  },
  {
    sub: 'o1h6p8ks',
    name: 'Ola Hansen',
    email: 'ola.hansen@nordlys.example',
    emailVerified: true,
    description: 'Has left Nordlys Platform AS, whose partner access was just taken away.',
    grants: [],
    revoked: [nordlys],
  },
  {
    sub: 'l2j7g5bw',
    name: 'Liisa Korhonen',
    email: 'liisa.korhonen@tyhja.example',
    emailVerified: true,
    description: 'Has just started Tyhjä Aloitus Oy, a partner that has no merchants yet.',
    grants: [developer(empty)],
  },
  {
    sub: 'n8q3v7xd',
    name: 'Nora Lie',
    email: 'nora.lie@nordlys.example',
    emailVerified: true,
    description: 'Answers customers at Nordlys Platform AS, and sees all of it but Developers.',
    grants: [viewer(nordlys)],
  },
  {
    sub: 'j4r1w6ct',
    name: 'Jonas Berg',
    email: 'jonas.berg@regnskap.example',
    emailVerified: true,
    description: 'Keeps the books of ACME Fantastic Fitness AS, with an access that ends in a week.',
    grants: [viewer(acme, 7)],
  },
  {
    sub: 'e2p5s9mz',
    name: 'Eirik Dahl',
    email: 'eirik.dahl@sommerhjelp.example',
    emailVerified: true,
    description: 'Helped out at Nordlys Platform AS in the summer, with an access that has come to its end.',
    grants: [viewer(nordlys, -1)],
  },
  {
    sub: 'n8s3e6cx',
    name: 'Nils Aas',
    email: 'nils.aas@nordlys.example',
    emailVerified: false,
    description: 'Is new at Nordlys Platform AS and must verify his email address; the mail is in the demo inbox.',
    grants: [viewer(nordlys)],
  },
]
