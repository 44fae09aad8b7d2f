import { domainToASCII } from 'node:url'
import { z } from 'zod'

/** The longest address that a mail server must take: RFC 5321, 4.5.3.1.3, without the angle brackets. */
const longest = 254
/** … and the longest part before the @ (4.5.3.1.1). */
const longestLocalPart = 64

const address = z
  .email()
  .max(longest)
  .refine((value) => value.indexOf('@') <= longestLocalPart)

/** What a domain of letters from beyond ASCII may be made of; everything else stays as it is and is judged as it is. */
const letters = /^[\p{L}\p{M}\p{N}.-]+$/u

/**
 * A plain e-mail address, with space around it left out and its domain in lower case (RFC 5321, 2.4: the part before
 * the @ keeps its case) and in ASCII (`øl.no` is `xn--l-4ga.no`, RFC 5891). Nothing else passes: no display name, no
 * quotes, no list, no control character, so that whatever passes can stand in a header of a mail.
 * @returns undefined for what is no such address
 */
export function emailAddress(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2 * longest) return undefined
  const trimmed = value.trim()
  const at = trimmed.lastIndexOf('@')
  const domain = trimmed.slice(at + 1)
  if (at < 1 || !letters.test(domain)) return undefined
  const { data } = address.safeParse(`${trimmed.slice(0, at)}@${domainToASCII(domain).toLowerCase()}`)
  return data
}
