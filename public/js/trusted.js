const asItIs = { createHTML: (html) => html, createScript: () => '' }

/**
 * The one place where text becomes a document: pages of our own, in which scripts do not run (Trusted Types). Text
 * never becomes a script.
 */
export const trusted = globalThis.trustedTypes?.createPolicy('portal-page', asItIs) ?? asItIs
