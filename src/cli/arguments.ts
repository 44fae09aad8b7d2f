import { parseArgs, type ParseArgsConfig } from 'node:util'
import { z } from 'zod'
import {
  businessIdPattern,
  type OrganisationReference,
  partnerIdPattern,
  schemePattern,
} from '../domain/organisation.ts'
import { type Role, roles } from '../domain/role.ts'
import { printable } from './table.ts'

/** Thrown for a command that cannot be executed as typed; `exitCode` as in CommandResult. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: 1 | 2 | 3
  constructor(message: string, exitCode: 1 | 2 | 3 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** A user ID as the profile page shows it, in lower case; capitals are accepted. @throws CommandError */
export function parseUserId(value: string | undefined): string {
  if (value === undefined) throw new CommandError('a user ID is missing', 2)
  const { success, data } = z.uuid().safeParse(value.toLowerCase())
  if (success) return data
  throw new CommandError(`"${printable(value)}" is not a user ID, such as 12745d37-ce52-55a3-bb28-0479c9d32d7d`)
}

/** Parses `partner <partner-id>` or `merchant <scheme> <id>`, with nothing after it. @throws CommandError */
export function parseOrganisation(values: readonly string[]): OrganisationReference {
  const [kind, first, second] = values
  if (kind !== 'partner' && kind !== 'merchant') {
    throw new CommandError('an organisation is "partner <partner-id>" or "merchant <scheme> <id>"', 2)
  }
  refuseMore(values, kind === 'partner' ? 2 : 3)
  if (kind === 'partner') return { kind, id: matching(partnerIdPattern, first, 'a partner ID: 3 to 10 digits') }
  const scheme = matching(schemePattern, first, 'a scheme, such as business:NO:ORG')
  return { kind, scheme, id: matching(businessIdPattern, second, 'a business identifier: digits and dashes') }
}

function matching(pattern: RegExp, value: string | undefined, expected: string): string {
  if (value === undefined) throw new CommandError(`${expected} is missing`, 2)
  if (!pattern.test(value)) throw new CommandError(`"${printable(value)}" is not ${expected}`)
  return value
}

/** Refuses surplus arguments, so that a typing mistake is not ignored. @throws CommandError */
export function refuseMore(values: readonly string[], most: number): void {
  const surplus = values[most]
  if (surplus !== undefined) throw new CommandError(`unexpected argument "${printable(surplus)}"`, 2)
}

/**
 * The organisation that one argument names, in the spelling of audit entries, files and commands: `partner:12345`,
 * `merchant:business:NO:ORG:987654321`, also with slashes or spaces. Undefined when it names none.
 */
export function organisationIn(word: string): OrganisationReference | undefined {
  const [, partnerId] = /^partner[ :/]+(\S+)$/.exec(word.trim()) ?? []
  if (partnerId !== undefined) return partnerIdPattern.test(partnerId) ? { kind: 'partner', id: partnerId } : undefined
  const [, scheme = '', id = ''] = /^merchant[ :/]+(\S+)[ :/]+([^\s:/]+)$/.exec(word.trim()) ?? []
  const isMerchant = schemePattern.test(scheme) && businessIdPattern.test(id)
  return isMerchant ? { kind: 'merchant', scheme, id } : undefined
}

/** Parses an organisation in one argument or in several: `partner:12345`, `partner 12345`. @throws CommandError */
export function parseAnyOrganisation(values: readonly string[]): OrganisationReference {
  const [only = ''] = values
  return (values.length === 1 ? organisationIn(only) : undefined) ?? parseOrganisation(values)
}

/** Parses a role. @throws CommandError */
export function parseRole(value: string): Role {
  const role = roles.find((name) => name === value)
  if (role) return role
  throw new CommandError(`"${printable(value)}" is not a role: ${roles.join(' or ')}`)
}

/** True for an existing calendar day in the form `2026-12-31`. */
export function isDay(value: string): boolean {
  return z.iso.date().safeParse(value).success && value >= '2000-01-01'
}

/** Parses options and positional arguments. @throws CommandError for an unknown option */
export function parseOptions<Options extends NonNullable<ParseArgsConfig['options']>>(
  values: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...values], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new CommandError(printable(error instanceof Error ? error.message : String(error)), 2)
  }
}
