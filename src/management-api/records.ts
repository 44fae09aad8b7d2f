import { setTimeout as sleep } from 'node:timers/promises'

/** Thrown when a response is not a valid list. Its message is for the log, and quotes no data. */
export class UnreadableListError extends Error {}

/** A record as the API sent it; with a `problem`, only its id is kept, if found. */
export type RawRecord = { readonly value: unknown; readonly problem?: RecordProblem | undefined }
type RecordProblem = 'row: too large' | 'row: nested too deep' | 'row: member name'

/** The position of the list in a response: top level, or a member; `idMember` is the id member of a record. */
export type ListPlace = { readonly member?: string | undefined; readonly idMember?: string | undefined }

/** The maximum size of one record, and of everything beside the list. */
export const maxRecordBytes = 256 * 1024
const maxDepth = 50
const maxRecords = 1_000_000

/**
 * A long list is read in short turns with pauses, so that pages do not wait for it: a page takes several turns of the
 * event loop, and each would wait for a turn of the list. `npm run bench -- pages-during-sync` shows the difference.
 */
const [workMs, pauseMs] = [2, 4]
const batchSize = 100
const stepBytes = 64 * 1024

/**
 * Reads the list in a UTF-8 body record by record, in batches. Only one record at a time is parsed, after its limits
 * are checked. An empty body and null are the empty list.
 * @throws UnreadableListError, also after some records; the signal's reason
 */
export async function* readRecords(
  body: Buffer,
  place: ListPlace,
  signal?: AbortSignal,
): AsyncGenerator<readonly RawRecord[]> {
  let batch: RawRecord[] = []
  let began = performance.now()
  for (const record of scanList(body, place)) {
    if (record) batch.push(record)
    if (batch.length < batchSize && performance.now() - began < workMs) continue
    yield batch
    batch = []
    if (performance.now() - began < workMs) continue
    await pause()
    signal?.throwIfAborted()
    began = performance.now()
  }
  yield batch
}

/** Yields records, and undefined now and then within a long one. */
function* scanList(bytes: Buffer, { member, idMember }: ListPlace): Generator<RawRecord | undefined> {
  const start = textStart(bytes)
  let at = skipSpace(bytes, start)
  if (at === bytes.length) return
  const listAt = member === undefined ? at : memberAt(bytes, at, at + maxRecordBytes, member)
  if (listAt === undefined || bytes[listAt] !== openBracket) {
    if (parseAround(bytes.subarray(start)) === null && member === undefined) return
    throw new UnreadableListError('response is not a list')
  }
  at = yield* overSpace(bytes, listAt + 1)
  for (let count = 1; bytes[at] !== closeBracket || count > 1; count += 1) {
    if (count > maxRecords) throw new UnreadableListError('too many rows')
    const scan = beginScan(at)
    while (!scanValue(bytes, scan, scan.at + stepBytes)) {
      if (scan.at >= bytes.length) throw new UnreadableListError('response is not JSON')
      yield undefined
    }
    yield recordIn(bytes, at, scan, idMember)
    at = yield* overSpace(bytes, scan.at)
    if (bytes[at] === closeBracket) break
    if (bytes[at] !== comma) throw new UnreadableListError('response is not JSON')
    at = yield* overSpace(bytes, at + 1)
  }
  const around = [bytes.subarray(start, listAt), Buffer.from('0'), bytes.subarray(at + 1)]
  const rest = parseAround(Buffer.concat(around))
  const found: unknown = member === undefined ? rest : Object(rest)[member]
  if (found !== 0) throw new UnreadableListError('response is not a list')
}

/** Lists that are read concurrently continue one after the other, each after a pause. */
async function pause(): Promise<void> {
  pauses = pauses.then(() => sleep(pauseMs))
  await pauses
}

/** The position after a byte order mark. */
function textStart(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}

function skipSpace(bytes: Buffer, from: number, until = bytes.length): number {
  let at = from
  while (at < until && isSpace(bytes[at])) at += 1
  return at
}

/** The position of an object member's value, if it is before `until`. Escaped names are not found. */
function memberAt(bytes: Buffer, start: number, until: number, name: string): number | undefined {
  const quoted = Buffer.from(JSON.stringify(name))
  let depth = 0
  for (let at = start; at < until && at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) {
      const scan = beginScan(at)
      if (!scanValue(bytes, scan, until)) return undefined
      const after = skipSpace(bytes, scan.at, until)
      if (depth === 1 && bytes[after] === colon && quoted.equals(bytes.subarray(at, scan.at)))
        return skipSpace(bytes, after + 1, until)
      at = scan.at - 1
    } else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) depth -= 1
  }
  return undefined
}

/** Parses what surrounds the list, with 0 in its place, to validate the whole response. */
function parseAround(bytes: Buffer): unknown {
  if (bytes.length > maxRecordBytes) throw new UnreadableListError('too much data beside the list')
  const { value, problem } = readRecord(bytes) ?? {}
  if (problem) throw new UnreadableListError(problem)
  return value
}

function* overSpace(bytes: Buffer, from: number): Generator<undefined, number> {
  let at = from
  while (isSpace(bytes[at])) {
    const until = Math.min(bytes.length, at + stepBytes)
    at = skipSpace(bytes, at, until)
    if (at === until) yield undefined
  }
  return at
}

function beginScan(at: number): Scan {
  return { at, depth: 0, deepest: 0, isInString: false, hasCodes: false }
}

/** Scans on to the end of the value, but not past `until`. @returns whether the end was found */
function scanValue(bytes: Buffer, scan: Scan, until: number): boolean {
  let { at, depth, deepest, isInString } = scan
  let isDone = false
  const end = Math.min(bytes.length, until)
  for (; at < end && !isDone; at += 1) {
    const byte = bytes[at]
    if (isInString) {
      if (byte === backslash) {
        at += 1
        if (bytes[at] === letterU) scan.hasCodes = true
      } else if (byte === quote) [isInString, isDone] = [false, depth === 0]
    } else if (byte === quote) isInString = true
    else if (byte === openBrace || byte === openBracket) {
      depth += 1
      if (depth > deepest) deepest = depth
    } else if (byte === closeBrace || byte === closeBracket) {
      isDone = depth <= 1
      // A closing bracket ends a number, but belongs to its container.
      if (depth === 0) break
      depth -= 1
    } else if (depth === 0 && (byte === comma || isSpace(byte))) {
      isDone = true
      break
    }
  }
  Object.assign(scan, { at, depth, deepest, isInString })
  return isDone
}

function recordIn(bytes: Buffer, start: number, scan: Scan, idMember?: string): RawRecord {
  const { at: end, deepest, hasCodes } = scan
  const problem = end - start > maxRecordBytes ? 'row: too large' : 'row: nested too deep'
  if (problem === 'row: too large' || deepest > maxDepth) return { problem, value: idIn(bytes, start, end, idMember) }
  const value = parseJson(bytes, start, end)
  // Names are only unstorable by an escape: invalid bytes are decoded as U+FFFD.
  if (!hasCodes || !hasUnstorableName(value)) return { value }
  return { problem: 'row: member name', value: idOnly(value, idMember) }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** The id of an unparsed record, if it is near the beginning. */
function idIn(bytes: Buffer, start: number, end: number, idMember: string | undefined): unknown {
  const until = Math.min(end, start + maxRecordBytes)
  const at = idMember === undefined ? undefined : memberAt(bytes, start, until, idMember)
  if (idMember === undefined || at === undefined) return undefined
  const scan = beginScan(at)
  if (!scanValue(bytes, scan, at + 1000) || scan.deepest > 0) return undefined
  return idOnly({ [idMember]: parseJson(bytes, at, scan.at) }, idMember)
}

function parseJson(bytes: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', start, end))
  } catch {
    throw new UnreadableListError('response is not JSON')
  }
}

/** PostgreSQL text has neither U+0000 nor lone surrogates. */
function hasUnstorableName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([name, member]) => name.includes('\0') || !name.isWellFormed() || hasUnstorableName(member),
  )
}

/** Reads a body that is one record. @throws UnreadableListError when it is not JSON */
export function readRecord(body: Buffer): RawRecord | undefined {
  const start = textStart(body)
  const scan = beginScan(skipSpace(body, start))
  if (scan.at === body.length) return undefined
  scanValue(body, scan, body.length)
  return recordIn(body, start, { ...scan, at: body.length })
}

/** An object with the record's id only; undefined without a valid one. */
export function idOnly(record: unknown, idMember: string | undefined): unknown {
  if (idMember === undefined || typeof record !== 'object' || record === null) return undefined
  const id: unknown = Object.getOwnPropertyDescriptor(record, idMember)?.value
  return typeof id === 'string' || typeof id === 'number' ? { [idMember]: id } : undefined
}

let pauses: Promise<unknown> = Promise.resolve()

const [quote, comma, colon, backslash, letterU] = [0x22, 0x2c, 0x3a, 0x5c, 0x75]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

/** The state of scanning a value. */
type Scan = { at: number; depth: number; deepest: number; isInString: boolean; hasCodes: boolean }
