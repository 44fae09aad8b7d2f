import type { Request } from 'express'

/**
 * True for what a page asks for by itself, without its user (public/js sends the header). Such a request does not keep a
 * session alive. Whoever sends it untruly only ends their own session earlier.
 */
export const isBackground = (req: Request): boolean => req.get('x-background') === '1'
