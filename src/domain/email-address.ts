import { domainToASCII } from 'node:url'
import { z } from 'zod'

/** The maximum length of an address: RFC 5321, 4.5.3.1.3, without the angle brackets. */
const longest = 254
/** The maximum length of the local part (RFC 5321, 4.5.3.1.1). */
const longestLocalPart = 64

const address = z
  .email()
  .max(longest)
  .refine((value) => value.indexOf('@') <= longestLocalPart)

/** The characters of a domain, including non-ASCII letters; anything else is refused. */
const letters = /^[\p{L}\p{M}\p{N}.-]+$/u

/**
 * Normalises a plain e-mail address: trimmed, with its domain in lower case (RFC 5321, 2.4: the local part keeps its
 * case) and in ASCII (`øl.no` is `xn--l-4ga.no`, RFC 5891). Display names, quotes, lists and control characters are
 * refused, so that the result is safe in a mail header.
 * @returns undefined for any other value
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

/** Providers that ignore dots in the local part, with the name that stands for all of theirs. */
const dotless: Readonly<Record<string, string>> = { 'gmail.com': 'gmail.com', 'googlemail.com': 'gmail.com' }

/**
 * The mailbox that an address leads to, as far as known, for limits: in lower case, without a tag (`name+tag@…`), and
 * without dots at Gmail. Two addresses may wrongly seem alike, so it never decides about access.
 * @param email as emailAddress() gives it
 */
export function mailboxOf(email: string): { readonly mailbox: string; readonly domain: string } {
  const at = email.lastIndexOf('@')
  const domain = email.slice(at + 1).toLowerCase()
  const [name = ''] = email
    .slice(0, at)
    .toLowerCase()
    .split(/(?<=.)\+/)
  const provider = dotless[domain]
  const mailbox = provider === undefined ? `${name}@${domain}` : `${name.replaceAll('.', '')}@${provider}`
  return { mailbox, domain: provider ?? domain }
}
