import { readFileSync, statSync } from 'node:fs'

/** An image that is served unchanged. `type` is also its file extension. */
export type Logo = { readonly type: 'svg' | 'png'; readonly bytes: Buffer }

const mostBytes = 64 * 1024

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Active content of an SVG: scripts, external resources and entities. */
const activeContent =
  /<script|<foreignObject|<!ENTITY|\son[a-z]+\s*=|javascript:|(?:href|src)\s*=\s*["']\s*(?:https?:)?\/\/|@import/i

/** Reads a logo, whose type is detected by content, or returns what is wrong with it. */
export function readLogo(path: string): Logo | { readonly problem: string } {
  try {
    const { size } = statSync(path)
    if (size > mostBytes) return { problem: `has ${size} bytes; at most ${mostBytes} are allowed` }
    return logoIn(readFileSync(path))
  } catch (error) {
    return { problem: `cannot be read: ${(error as NodeJS.ErrnoException).code}` }
  }
}

function logoIn(bytes: Buffer): Logo | { readonly problem: string } {
  if (bytes.subarray(0, 8).equals(pngSignature) && bytes.subarray(12, 16).toString() === 'IHDR')
    return { type: 'png', bytes }
  const text = bytes.toString()
  if (!isSvg(text)) return { problem: 'is neither an SVG nor a PNG' }
  if (activeContent.test(text))
    return {
      problem: 'must be a static image without scripts, foreign objects, entities or external links',
    }
  return { type: 'svg', bytes }
}

function isSvg(text: string): boolean {
  return (
    /^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--[\s\S]*?-->\s*)*(?:<!DOCTYPE\s+svg[^>[]*(?:\[[^\]]*\]\s*)?>\s*)?(?:<!--[\s\S]*?-->\s*)*<svg[\s>]/i.test(
      text,
    ) && /<\/svg>\s*(?:<!--[\s\S]*?-->\s*)*$/i.test(text)
  )
}
