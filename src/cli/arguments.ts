import { z } from 'zod'
import {
  businessIdPattern,
  type OrganisationReference,
  partnerIdPattern,
  schemePattern,
} from '../organisation.ts'
import { printable } from './table.ts'

/** Thrown when what the operator typed cannot be done; `exitCode` 2 when it is not a command at all. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: 1 | 2
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

const matching = (pattern: RegExp, value: string | undefined, words: string): string => {
  if (value === undefined) throw new CommandError(`${words} is missing`, 2)
  if (!pattern.test(value)) throw new CommandError(`"${printable(value)}" is not ${words}`)
  return value
}

/** A user ID as the profile page shows it; capitals are taken too. @throws CommandError */
export const parseUserId = (value: string | undefined): string => {
  if (value === undefined) throw new CommandError('a user ID is missing', 2)
  const { success, data } = z.uuid().safeParse(value.toLowerCase())
  if (success) return data
  throw new CommandError(
    `"${printable(value)}" is not a user ID, such as 12745d37-ce52-55a3-bb28-0479c9d32d7d`,
  )
}

/** `partner <partner-id>` or `merchant <scheme> <id>`, and nothing after it. @throws CommandError */
export const parseOrganisation = (values: readonly string[]): OrganisationReference => {
  const [kind, first, second] = values
  if (kind !== 'partner' && kind !== 'merchant') {
    throw new CommandError('an organisation is "partner <partner-id>" or "merchant <scheme> <id>"', 2)
  }
  refuseMore(values, kind === 'partner' ? 2 : 3)
  if (kind === 'partner')
    return { kind, id: matching(partnerIdPattern, first, 'a partner ID: 3 to 10 digits') }
  const scheme = matching(schemePattern, first, 'a scheme, such as business:NO:ORG')
  return { kind, scheme, id: matching(businessIdPattern, second, 'a business identifier: digits and dashes') }
}

/** @throws CommandError when there are more words than the command takes: a typing mistake must not be ignored */
export const refuseMore = (values: readonly string[], most: number): void => {
  const surplus = values[most]
  if (surplus !== undefined) throw new CommandError(`"${printable(surplus)}" is one word too many`, 2)
}
