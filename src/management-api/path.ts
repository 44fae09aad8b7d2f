import { NotFoundError } from '../errors.ts'

/**
 * An id as one segment of a path. Ids of the API need no escaping; what does is not an id, and `..` would walk
 * out of the path (RFC 3986, 5.2.4) with the organisation's keys on it.
 * @throws NotFoundError for anything else than 1 to 64 letters, digits, `:`, `_`, `-`
 */
export function segment(id: string): string {
  if (!/^[\w:-]{1,64}$/.test(id)) throw new NotFoundError('Not an id of the Management API')
  return id
}
