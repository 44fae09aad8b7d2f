/** Roles by increasing rights: everything but Developers, or everything. */
export const roles = ['viewer', 'developer'] as const
/** The role of a user in an organisation. */
export type Role = (typeof roles)[number]

/** True when the role includes the needed one. */
export function covers(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed)
}

/** A grant as its user has it: `until` is its last day, `2026-12-31`, inclusive in UTC. */
export type UserGrant = { readonly role: Role; readonly until: string | null }
