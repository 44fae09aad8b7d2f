import type { NextFunction, Request, RequestHandler, Response } from 'express'
import helmet from 'helmet'

/**
 * All Permissions-Policy features that browsers know (an unknown name is an error in their console); the portal only
 * writes to the clipboard.
 */
const denied = `
  accelerometer autoplay browsing-topics camera clipboard-read
  cross-origin-isolated display-capture encrypted-media fullscreen gamepad geolocation gyroscope hid
  identity-credentials-get idle-detection local-fonts magnetometer microphone midi otp-credentials payment
  picture-in-picture publickey-credentials-create publickey-credentials-get screen-wake-lock serial storage-access
  usb window-management xr-spatial-tracking`
const permissions = [
  ...denied
    .trim()
    .split(/\s+/)
    .map((name) => `${name}=()`),
  'clipboard-write=(self)',
].join(', ')

/**
 * The security headers of every response. Everything that is not named is denied: no inline script or style, no other
 * origin, no framing, no HTML from strings except in public/js/trusted.js; openers and resources of the same origin
 * only.
 * `formActionOrigins` are those of the eID provider, because browsers apply form-action to the redirect after the
 * sign-out form.
 */
export function securityHeaders(options: {
  readonly https: boolean
  readonly formActionOrigins: () => readonly string[]
}): RequestHandler {
  const headers = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // data: for the mask icons of the design system
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'", () => options.formActionOrigins().join(' ')],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: ['portal-page'],
        ...(options.https ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    strictTransportSecurity: options.https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })
  return (req, res, next) => {
    res.setHeader('Permissions-Policy', permissions)
    headers(req, res, next)
  }
}

/** Forbids caching of pages, which are personal. Static files and probes are answered before this middleware. */
export function personalPages(_req: Request, res: Response, next: NextFunction): void {
  res.setHeader('Cache-Control', 'no-store')
  next()
}
