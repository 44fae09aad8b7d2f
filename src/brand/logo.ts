import { readFileSync, statSync } from 'node:fs'

/** A picture that browsers get as it is. `type` is the end of its file's name. */
export type Logo = { readonly type: 'svg' | 'png'; readonly bytes: Buffer }

const mostBytes = 64 * 1024

const pngBegins = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** What an SVG can do besides being seen: run, load, and grow without end. */
const active =
  /<script|<foreignObject|<!ENTITY|\son[a-z]+\s*=|javascript:|(?:href|src)\s*=\s*["']\s*(?:https?:)?\/\/|@import/i

/** The logo in this file, which is told by what is in it and not by its name; or what is wrong with it, in words. */
export function readLogo(path: string): Logo | { readonly problem: string } {
  try {
    const { size } = statSync(path)
    if (size > mostBytes) return { problem: `has ${size} bytes, and at most ${mostBytes} are allowed` }
    return logoIn(readFileSync(path))
  } catch (error) {
    return { problem: `cannot be read: ${(error as NodeJS.ErrnoException).code}` }
  }
}

function logoIn(bytes: Buffer): Logo | { readonly problem: string } {
  if (bytes.subarray(0, 8).equals(pngBegins) && bytes.subarray(12, 16).toString() === 'IHDR')
    return { type: 'png', bytes }
  const text = bytes.toString()
  if (!isSvg(text)) return { problem: 'is neither an SVG nor a PNG' }
  if (active.test(text))
    return {
      problem: 'must be a plain picture: no scripts, foreign objects, entities, or links to elsewhere',
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
