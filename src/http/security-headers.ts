import type { RequestHandler } from 'express'
import helmet from 'helmet'

/**
 * The security headers of every answer. Nothing is allowed that is not named: no inline script or style, no
 * other origin, no framing. `formActionOrigins` are the eID provider's, because browsers apply form-action to
 * the redirect that follows our sign-out form as well.
 */
export const securityHeaders = (options: {
  readonly https: boolean
  readonly formActionOrigins: () => readonly string[]
}): RequestHandler =>
  helmet({
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
        ...(options.https ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    strictTransportSecurity: options.https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })

const permissions = ['camera', 'geolocation', 'microphone', 'payment', 'usb']
  .map((name) => `${name}=()`)
  .join(', ')

/** Pages are personal: no cache keeps them. Static files and probes are answered before this. */
export const personalPages: RequestHandler = (_req, res, next) => {
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Permissions-Policy', permissions)
  next()
}
