const unchanged = { createHTML: (html) => html, createScript: () => '' }

/**
 * The only Trusted Types policy. It is used for pages of the portal, parsed without running their scripts; it creates no
 * scripts.
 */
export const trusted = globalThis.trustedTypes?.createPolicy('portal-page', unchanged) ?? unchanged
