import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { Credentials } from '../management-api/credentials.ts'
import {
  businessIdPattern,
  msnPattern,
  type Organisation,
  organisationKey,
  partnerIdPattern,
  schemePattern,
} from '../domain/organisation.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The organisations with their credentials, and one sentence per problem, which never contains a secret. */
export type OrganisationsFile = {
  readonly organisations: readonly { readonly organisation: Organisation; readonly keys: Credentials }[]
  readonly problems: readonly string[]
  /** The file itself and its secret files, to be watched for changes. */
  readonly files: readonly string[]
}

/**
 * Reads the operator's organisations file and resolves its secrets. Relative secret files are resolved against its
 * directory. Throws nothing: errors are in `problems`, with their place in the file.
 */
export function readOrganisationsFile(path: string, env: Environment): OrganisationsFile {
  const files = new Set([path])
  const failed = (problem: string) => ({
    organisations: [],
    problems: [`(${path}) ${problem}`],
    files: [path],
  })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return failed(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    // The rest of the message may quote the file, and so a secret.
    const place = /line \d+ column \d+/.exec(String(error))?.[0]
    return failed(`is not JSON: ${place ?? 'a value is malformed or the end is missing'}`)
  }
  const parsed = fileSchema(keysSchema(secretSchema(dirname(path), env, files))).safeParse(json)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path: place, message }) => `(${path}) at ${z.core.toDotPath(place) || 'the top'}: ${message}`,
    )
    return { organisations: [], problems, files: [...files] }
  }
  const organisations = [
    ...parsed.data.partners.map(({ keys, ...partner }) => ({
      organisation: { kind: 'partner' as const, ...partner },
      keys,
    })),
    ...parsed.data.merchants.map(({ keys, ...merchant }) => ({
      organisation: {
        kind: 'merchant' as const,
        ...merchant,
        ...(keys.type === 'sales-unit' ? { onlyMsn: keys.merchantSerialNumber } : {}),
      },
      keys,
    })),
  ]
  const seen = new Set<string>()
  const problems: string[] = []
  for (const { organisation } of organisations) {
    const key = organisationKey(organisation)
    if (seen.has(key)) problems.push(`(${path}) names ${key} twice`)
    seen.add(key)
  }
  return { organisations, problems, files: [...files] }
}

function fileSchema(keys: ReturnType<typeof keysSchema>) {
  const name = z.string().trim().min(1).max(100)
  return z.strictObject({
    partners: z
      .array(z.strictObject({ id: z.string().regex(partnerIdPattern, 'must be 3 to 10 digits'), name, keys }))
      .default([]),
    merchants: z
      .array(
        z.strictObject({
          scheme: z.string().regex(schemePattern, 'must be a scheme such as business:NO:ORG'),
          id: z.string().regex(businessIdPattern, 'must be digits and dashes, 4 to 50'),
          name,
          keys,
        }),
      )
      .default([]),
  })
}

function keysSchema(secret: ReturnType<typeof secretSchema>) {
  const msn = z.string().regex(msnPattern, 'must be an MSN: 4 to 10 digits')
  return z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('management'), clientId: secret, clientSecret: secret }),
    z.strictObject({
      type: z.literal('partner'),
      clientId: secret,
      clientSecret: secret,
      subscriptionKey: secret,
      merchantSerialNumber: msn.optional(),
    }),
    z.strictObject({
      type: z.literal('sales-unit'),
      clientId: secret,
      clientSecret: secret,
      subscriptionKey: secret,
      merchantSerialNumber: msn,
    }),
  ])
}

/** A secret: a string in the file, or `{"env": "NAME"}` or `{"file": "path"}`. */
function secretSchema(directory: string, env: Environment, files: Set<string>) {
  return z
    .union([z.string(), z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })], {
      error: 'must be a string, {"env": "NAME"} or {"file": "path"}',
    })
    .transform((source, context) => {
      const fail = (message: string) => {
        context.addIssue({ code: 'custom', message })
        return z.NEVER
      }
      const usable = (secret: string, what: string) => {
        if (secret === '') return fail(`${what} empty`)
        // Credentials are sent in headers, which only carry visible ASCII.
        const isVisibleAscii = /^[\x21-\x7e]+$/.test(secret)
        return isVisibleAscii ? secret : fail(`${what} invalid: it contains spaces or non-ASCII characters`)
      }
      if (typeof source === 'string') return usable(source, 'is')
      if ('env' in source) {
        const secret = env[source.env]
        return secret === undefined
          ? fail(`names the variable ${source.env}, which is not set`)
          : usable(secret, `names the variable ${source.env}, which is`)
      }
      const file = resolve(directory, source.file)
      files.add(file)
      try {
        const secret = readFileSync(file, 'utf8').trim()
        return usable(secret, `names the file ${source.file}, which is`)
      } catch {
        return fail(`names the file ${source.file}, which cannot be read`)
      }
    })
}
