import { randomBytes } from 'node:crypto'
import { csrfSync } from 'csrf-sync'
import express, { type Request, type RequestHandler } from 'express'

const { csrfSynchronisedProtection, generateToken } = csrfSync({
  getTokenFromRequest: (req) => unmasked((req.body as Record<string, unknown> | undefined)?.['_csrf']),
})

/**
 * The token for a form in this session; created at the first call, so that pages without a form need no session. It is
 * masked differently each time: compressed pages that repeat the search would otherwise leak it by their length
 * (BREACH).
 */
export function csrfToken(req: Request): string {
  return masked(generateToken(req))
}

/** The token XORed with a random mask, after the mask; different for each page. */
function masked(token: string): string {
  const bytes = Buffer.from(token)
  const mask = randomBytes(bytes.length)
  return Buffer.concat([mask, xor(bytes, mask)]).toString('base64url')
}

function xor(bytes: Buffer, mask: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] ?? 0)))
}

/**
 * Comes before every POST handler (the site map adds it). Parses the form and refuses one without the session's token
 * (synchroniser token pattern, OWASP CSRF cheat sheet).
 */
export const csrfProtection: RequestHandler[] = [
  express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 50 }),
  csrfSynchronisedProtection,
]

function unmasked(sent: unknown): string | undefined {
  if (typeof sent !== 'string') return undefined
  const bytes = Buffer.from(sent, 'base64url')
  const half = bytes.length / 2
  return Number.isInteger(half) ? xor(bytes.subarray(half), bytes.subarray(0, half)).toString() : undefined
}
