import { NotFoundError } from '../errors.ts'

/**
 * An id as one path segment. Ids of the API need no escaping, and `..` would leave the path with the organisation's
 * credentials (RFC 3986, 5.2.4).
 * @throws NotFoundError for anything but 1 to 64 letters, digits, `:`, `_`, `-`
 */
export function segment(id: string): string {
  if (!/^[\w:-]{1,64}$/.test(id)) throw new NotFoundError('not an id of the Management API')
  return id
}
