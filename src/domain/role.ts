/** What a user may see of an organisation, from the least to the most: everything but Developers, or everything. */
export const roles = ['viewer', 'developer'] as const
export type Role = (typeof roles)[number]

/** Whether somebody in a role may see what needs another. */
export function covers(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed)
}

/** A grant as its user has it: `until` is its last day, `2026-12-31`, to the end of that day in UTC. */
export type UserGrant = { readonly role: Role; readonly until: string | null }
