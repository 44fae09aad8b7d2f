import { readFileSync } from 'node:fs'
import { TextDecoder } from 'node:util'
import { CommandError, parseOptions, refuseMore } from './arguments.ts'
import { printable } from './table.ts'

const largest = 8 * 1024 * 1024

/** Parses the arguments of `import <file> [--apply] [--by <name>]`. @throws CommandError */
export function importOptions(values: readonly string[]) {
  const { values: options, positionals } = parseOptions(values, {
    apply: { type: 'boolean', default: false },
    by: { type: 'string' },
  })
  const [file] = positionals
  if (file === undefined) throw new CommandError('a file is missing', 2)
  refuseMore(positionals, 1)
  return { ...options, file }
}

/**
 * Reads the file that a command names, in the operator's own process, as the portal may run elsewhere or as another
 * user. @throws CommandError
 */
export function readImportFile(file: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandError(`${printable(file)} cannot be read: ${code ?? 'unknown error'}`)
  }
  if (bytes.length > largest) throw new CommandError(`${printable(file)} is larger than ${largest / 1024 / 1024} MB`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new CommandError(`${printable(file)} is not UTF-8: save it as "CSV UTF-8"`)
  }
}
