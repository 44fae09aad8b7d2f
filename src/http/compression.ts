import { constants } from 'node:zlib'
import compression from 'compression'

/** Below this an answer fits into one packet with its headers, and would only get slower. */
const leastBytes = 1024

/**
 * Compresses pages and downloads, as quickly as it goes: the best level would take as long as the rest of a page, for
 * some hundred bytes less (`npm run bench:pages`). What says `no-transform`, and what is packed already, stays as it is.
 */
export const compressed = compression({
  threshold: leastBytes,
  level: constants.Z_BEST_SPEED,
  brotli: { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } },
})
