import type { NextFunction, Request, RequestHandler, Response } from 'express'
import helmet from 'helmet'

/** Everything that browsers know to ask for (an unknown name is an error in their console); the portal only writes to the clipboard. */
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
 * The security headers of every answer. Nothing is allowed that is not named: no inline script or style, no
 * other origin, no framing, and no text that becomes a document but in the one place of public/js/trusted.js; openers and
 * resources of the same origin only. `formActionOrigins` are the eID provider's, because browsers apply form-action
 * to the redirect that follows our sign-out form as well.
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
        // data: for the icons that the design system draws as masks
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

/** Pages are personal: no cache keeps them. Static files and probes are answered before this. */
export function personalPages(_req: Request, res: Response, next: NextFunction): void {
  res.setHeader('Cache-Control', 'no-store')
  next()
}
